import type { HttpFunctionOptions, HttpRequest, HttpResponseInit } from '@azure/functions';
import { type Access, ROLES, SIGN_IN_ADDRESS, SIGN_OUT_ADDRESS } from '../api/access.js';
import type { Route } from '../api/route.js';
import { type Caller, type Refusal, readCaller } from './caller.js';
import type { App } from './compose.js';
import { routesOf } from './lookups.js';
import { type FunctionApp, httpError, serve } from './serve.js';

type Deps = Pick<App, 'config' | 'workflows' | 'clock' | 'telemetry'>;
type GuardedRole = Exclude<Route['role'], 'anybody'>;

/** No cache may keep the identity of a caller, or a refusal. */
const HEADERS = { 'Cache-Control': 'no-store' };

const HOW_TO_SIGN_IN = `open ${SIGN_IN_ADDRESS} in a browser, or send a token of Entra ID for this app as Authorization: Bearer.`;
const REFUSALS: Readonly<Record<Exclude<Refusal, 'role-missing'>, readonly [status: number, message: string]>> = {
  'sign-in-off': [
    503,
    'REQUIRE_SIGN_IN is on, but the authentication of Azure is off for this app, so nobody can be let in. Turn it on: ' +
      'azd env set SIGN_IN on, then azd provision.',
  ],
  'sign-in-needed': [401, `Sign in: ${HOW_TO_SIGN_IN} Keys are off (REQUIRE_SIGN_IN).`],
  'sign-in-expired': [401, `The sign-in has expired. Sign in again: ${HOW_TO_SIGN_IN}`],
  'principal-unreadable': [401, `The app cannot read who has signed in. Sign in again: ${HOW_TO_SIGN_IN}`],
  'principal-foreign': [401, `The sign-in is for another app or tenant. Sign in for this one: ${HOW_TO_SIGN_IN}`],
};
/** Any caller on the internet can cause these refusals, and so can an open page whose sign-in has expired. */
const NOT_LOGGED: readonly Refusal[] = ['sign-in-off', 'sign-in-needed', 'sign-in-expired'];

/**
 * Returns `functions` with a guard before each HTTP function: a caller who has signed in needs the role of the route. A
 * function without a route needs the role Operator, so that a new function is closed until its route says otherwise.
 *
 * The host checks keys before this code runs. If a sign-in is required and Azure's authentication is on, the functions are
 * anonymous for the host, and the guard refuses callers who have not signed in. In every other case the host requires a
 * key, so that a missing or wrong setting never opens a function.
 */
export function guardHttp(functions: FunctionApp, deps: Deps): FunctionApp {
  const routes = routesOf(deps);
  const { isOn, isRequired } = deps.config.signIn;
  const guarded = (role: GuardedRole, options: HttpFunctionOptions): HttpFunctionOptions => ({
    ...options,
    ...(isOn && isRequired && { authLevel: 'anonymous' }),
    handler: (request, context) => refuse(request, role, deps) ?? options.handler(request, context),
  });
  return {
    ...functions,
    http(name, options) {
      const role = routes[name]?.role ?? 'Operator';
      functions.http(name, role === 'anybody' ? options : guarded(role, options));
    },
  };
}

/** Registers `access`: the identity and the roles of the caller. */
export function registerAccess(functions: FunctionApp, deps: Deps): void {
  const { config, clock } = deps;
  serve(functions, 'access', (request) => ({
    jsonBody: accessOf(readCaller(request, config, clock.now()), deps),
    headers: HEADERS,
  }));
}

/** Returns the refusal of a caller; undefined if the caller may call the function. */
function refuse(request: Pick<HttpRequest, 'headers'>, role: GuardedRole, deps: Deps): HttpResponseInit | undefined {
  const caller = readCaller(request, deps.config, deps.clock.now());
  if (caller.kind === 'key-holder') return undefined;
  if (caller.kind === 'refused') {
    if (!NOT_LOGGED.includes(caller.code))
      deps.telemetry.log('warn', 'access-refused', { by: 'unknown', errorCode: caller.code });
    const [status, message] = REFUSALS[caller.code];
    return refusal(status, caller.code, message);
  }
  if (role === 'signed-in' || caller.roles.includes(role)) return undefined;
  deps.telemetry.log('warn', 'access-refused', { by: caller.id, errorCode: 'role-missing', code: role });
  const message =
    `This needs the app role ${role}, which your account lacks. An administrator assigns it in the Entra admin center: ` +
    'Enterprise applications, this app, Users and groups. Then sign in again.';
  return refusal(403, 'role-missing', message);
}

/** Returns a refusal with the address that the page needs to offer a sign-in. */
function refusal(status: number, code: Refusal, message: string): HttpResponseInit {
  const { jsonBody } = httpError(status, code, message);
  return { status, headers: HEADERS, jsonBody: { error: { ...jsonBody.error, signInAddress: SIGN_IN_ADDRESS } } };
}

function accessOf(caller: Caller, { config }: Pick<App, 'config'>): Access {
  const { isOn, isRequired } = config.signIn;
  const signIn = { isOn, isRequired, signInAddress: SIGN_IN_ADDRESS, signOutAddress: SIGN_OUT_ADDRESS } as const;
  if (caller.kind === 'signed-in') {
    const { kind, id, name, roles } = caller;
    return { signIn, caller: { kind, id, name }, roles };
  }
  return { signIn, caller: { kind: 'key-holder', id: 'key-holder', name: null }, roles: ROLES };
}
