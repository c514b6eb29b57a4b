import type { HttpRequest } from '@azure/functions';
import * as z from 'zod';
import { ROLES, type Role } from '../api/access.js';
import type { Config } from '../config.js';
import { GUID } from '../config-reader.js';
import { parseJson } from '../json-text.js';
import type { App } from './compose.js';

// The identity and the roles of the caller of a request. On Azure, the authentication of App Service (v2) checks the token or
// the session of a caller, removes headers that the caller has sent under these names, and sends its own. Flex Consumption
// runs it inside the Functions host, where the same variable that turns it on is WEBSITE_AUTH_ENABLED. Without that
// variable, any caller can send the headers.

type Headers = Pick<HttpRequest, 'headers'>;
type Deps = Pick<App, 'config'>;

/** The reason why a caller is not let in. */
export type Refusal =
  | 'sign-in-off'
  | 'sign-in-needed'
  | 'sign-in-expired'
  | 'principal-unreadable'
  | 'principal-foreign'
  | 'role-missing';

/** The caller of a request. `key-holder`: a caller without a sign-in, whose key the host has checked. */
export type Caller =
  | { readonly kind: 'key-holder' }
  /** `id`: the object id in Entra ID, the only one of these that is logged or stored. */
  | { readonly kind: 'signed-in'; readonly id: string; readonly name: string | null; readonly roles: readonly Role[] }
  | { readonly kind: 'refused'; readonly code: Exclude<Refusal, 'role-missing'> };

const PRINCIPAL = 'x-ms-client-principal';
const PROVIDER = 'x-ms-client-principal-idp';
const ENTRA = 'aad';

const MAX_PRINCIPAL_CHARACTERS = 64 * 1024;
const MAX_NAME_CHARACTERS = 256;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const EXPIRY_SECONDS = /^\d{1,11}$/;
/** Clocks differ. Azure's authentication allows the same. */
const MAX_SKEW_MS = 5 * 60_000;

// Azure's authentication renames some claims, and which ones depends on a setting.
const OBJECT_ID = ['http://schemas.microsoft.com/identity/claims/objectidentifier', 'oid'];
const TENANT_ID = ['http://schemas.microsoft.com/identity/claims/tenantid', 'tid'];
const ROLE = ['roles', 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role'];

const principal = z.object({
  auth_typ: z.string(),
  claims: z.array(z.object({ typ: z.string(), val: z.string() })),
});
type Claims = z.infer<typeof principal>['claims'];

/** The roles that a role includes: an Operator may also read the lists. */
const INCLUDES: Readonly<Record<Role, readonly Role[]>> = {
  Reader: [],
  Operator: ['Reader'],
  Clinician: [],
};

const KEY_HOLDER: Caller = { kind: 'key-holder' };

/**
 * Returns the caller at `now`. Headers count only if Azure's authentication is on. Without a sign-in, the caller has a key,
 * or is refused if a sign-in is required. An expired, foreign or unreadable sign-in is refused, also beside a key.
 */
export function readCaller({ headers }: Headers, { signIn }: Pick<Config, 'signIn'>, now: Date): Caller {
  if (!signIn.isOn) return signIn.isRequired ? refused('sign-in-off') : KEY_HOLDER;
  const sent = headers.get(PRINCIPAL);
  if (sent === null) return signIn.isRequired ? refused('sign-in-needed') : KEY_HOLDER;
  const read = principal.safeParse(decoded(sent));
  if (!read.success) return refused('principal-unreadable');
  const { auth_typ: type, claims } = read.data;
  if (type !== ENTRA || (headers.get(PROVIDER) ?? ENTRA) !== ENTRA) return refused('principal-foreign');
  return signedIn(claims, signIn, now);
}

/** Returns the caller whom `guardHttp` has let in, for the log and for notes: the object id, or `key-holder`. */
export function callerIdOf(request: Headers, { config }: Deps): string {
  const caller = readCaller(request, config, BEFORE_ALL);
  if (caller.kind === 'refused') return 'unknown';
  return caller.kind === 'signed-in' ? caller.id : 'key-holder';
}

/** No sign-in has expired at this time: a sign-in that expires while its request runs is still the caller's. */
const BEFORE_ALL = new Date(0);

function signedIn(claims: Claims, { clientId, tenantId }: Config['signIn'], now: Date): Caller {
  const [id = '', expires = '', tenant = '', audience = ''] = [OBJECT_ID, ['exp'], TENANT_ID, ['aud']].map((names) =>
    onlyValueOf(claims, names),
  );
  if (!GUID.test(id) || !EXPIRY_SECONDS.test(expires) || tenant === '' || audience === '')
    return refused('principal-unreadable');
  if (tenantId !== undefined && tenant.toLowerCase() !== tenantId) return refused('principal-foreign');
  if (clientId !== undefined && ![clientId, `api://${clientId}`].includes(audience.toLowerCase()))
    return refused('principal-foreign');
  if (Number(expires) * 1000 + MAX_SKEW_MS < now.getTime()) return refused('sign-in-expired');
  const given = ROLES.filter((role) => valuesOf(claims, ROLE).includes(role));
  const roles = ROLES.filter((role) => given.some((one) => one === role || INCLUDES[one].includes(role)));
  const name = onlyValueOf(claims, ['name'])?.slice(0, MAX_NAME_CHARACTERS) ?? null;
  return { kind: 'signed-in', id: id.toLowerCase(), name, roles };
}

/** Returns undefined for all but JSON in base64, so also for two headers of one name: they arrive joined by a comma. */
function decoded(sent: string): unknown {
  if (sent.length > MAX_PRINCIPAL_CHARACTERS || !BASE64.test(sent)) return undefined;
  return parseJson(Buffer.from(sent, 'base64').toString());
}

function valuesOf(claims: Claims, names: readonly string[]): string[] {
  return claims.filter(({ typ }) => names.includes(typ)).map(({ val }) => val);
}

/** Returns undefined if the claims hold no value, or several. */
function onlyValueOf(claims: Claims, names: readonly string[]): string | undefined {
  const [value, ...others] = new Set(valuesOf(claims, names));
  return others.length === 0 ? value : undefined;
}

function refused(code: Exclude<Refusal, 'role-missing'>): Caller {
  return { kind: 'refused', code };
}
