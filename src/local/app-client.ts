import type { TokenCredential } from '@azure/identity';
import type * as z from 'zod';
import { errorAnswer } from '../api/common.js';
import { isLoopbackUri, isServiceUri } from '../clients/service-host.js';
import { createCredential } from '../functions/credential.js';
import { parseJson } from '../json-text.js';
import { StartError } from './host/start-error.js';
import { OptionError, textOf, type Values } from './options.js';

/** The HTTP API of an app, for commands with `--app`. The caller signs in, unless the app is on this machine. */
export type AppClient = ReturnType<typeof createAppClient>;

/** `path` is the part after `/api/`. A request with a body is a POST. */
export type AppRequest = { readonly path: string; readonly query?: Record<string, string>; readonly body?: unknown };

/** The app has read the request, and refuses it: an id is unknown, or an option is wrong. */
export class AppRefusal extends Error {
  override name = 'AppRefusal';
  readonly status: number;
  readonly problems: readonly { readonly path: string; readonly message: string }[];

  constructor(status: number, message: string, problems: AppRefusal['problems'] = []) {
    super(message);
    this.status = status;
    this.problems = problems;
  }
}

/** The options for `parseArgs` and for the help of each command. */
export const APP_OPTIONS = { app: { type: 'string' }, scope: { type: 'string' } } as const;
export const APP_HELP = `Instead of storage, the HTTP API of an app: your account needs an app role there, and no role on storage.
  --app URL                   the address, such as https://func-….azurewebsites.net or http://localhost:7071
  --scope SCOPE               the scope of its registration in Entra ID; by default api://SIGN_IN_CLIENT_ID/.default.
                              The identity is what DefaultAzureCredential finds. An app on this machine needs none
`;

/** The statuses that become an AppRefusal. */
const REFUSALS = [400, 404, 409, 413];
const STORAGE_OPTIONS = ['account', 'undelivered-account', 'workflow-account'];
const IDENTITY = { kind: 'identity', credential: 'default' } as const;

type Deps = { readonly env: Readonly<Record<string, string | undefined>>; readonly credential?: TokenCredential };

/** Returns the app that `--app` names; undefined without it. @throws OptionError */
export function readApp(values: Values, { env, credential = createCredential(IDENTITY) }: Deps): AppClient | undefined {
  const app = textOf(values, 'app');
  if (app === undefined && values.scope !== undefined) throw new OptionError('--scope is only for --app.');
  if (app === undefined) return undefined;
  const other = STORAGE_OPTIONS.find((name) => values[name] !== undefined);
  if (other) throw new OptionError(`--${other} does not go with --app: the app knows its own storage.`);
  const origin = originOf(app);
  if (isLoopbackUri(origin)) return createAppClient(origin, async () => ({}));
  const scope = scopeOf(values, env);
  return createAppClient(origin, async () => ({ authorization: `Bearer ${await tokenFor(scope, credential)}` }));
}

/** Returns the origin of the app. A token goes there only over https or to this machine, and to no redirect. */
function originOf(app: string): string {
  const origin = isServiceUri(app) ? new URL(app) : undefined;
  if (origin?.pathname === '/') return origin.origin;
  throw new OptionError(
    `--app is '${app}', must be an address such as https://func-….azurewebsites.net, or http://localhost:7071 on this machine.`,
  );
}

function scopeOf(values: Values, env: Deps['env']): string {
  const { SIGN_IN_CLIENT_ID: clientId = '' } = env;
  const scope = textOf(values, 'scope') ?? (clientId === '' ? undefined : `api://${clientId}/.default`);
  if (scope !== undefined) return scope;
  throw new OptionError(
    '--scope is missing: give api://CLIENT-ID/.default with the client id of the registration, or set SIGN_IN_CLIENT_ID.',
  );
}

async function tokenFor(scope: string, credential: TokenCredential): Promise<string> {
  try {
    const { token } = (await credential.getToken(scope)) ?? {};
    if (token) return token;
  } catch (error) {
    const [why = ''] = (error as Error).message.split('\n');
    throw new StartError(`There is no token for ${scope}: az login --scope ${scope}. ${why}`, { cause: error });
  }
  throw new StartError(`There is no token for ${scope}: az login --scope ${scope}.`);
}

/** Returns the app at `origin`. `signIn` returns the headers that let a request in. */
export function createAppClient(origin: string, signIn: () => Promise<Record<string, string>>) {
  return {
    /**
     * Returns the answer to a request.
     * @throws AppRefusal; StartError where the app does not answer, fails, or does not let the caller in
     */
    async ask<S extends z.ZodType>({ path, query, body }: AppRequest, schema: S): Promise<z.output<S>> {
      const url = new URL(`/api/${path}`, origin);
      for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value);
      const response = await send(url, {
        headers: { ...(await signIn()), ...(body !== undefined && { 'content-type': 'application/json' }) },
        ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
        redirect: 'manual',
      });
      const answer = parseJson(await response.text());
      if (!response.ok) throw failureOf(response.status, answer, origin);
      // The schema only checks: the answer itself keeps the order of its fields.
      if (schema.safeParse(answer).success) return answer as never;
      throw new StartError(`${origin} answers otherwise than this version expects: use the command of its version.`);
    },
  };
}

async function send(url: URL, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch {
    throw new StartError(`The app does not answer: ${url.origin}`);
  }
}

function failureOf(status: number, answer: unknown, origin: string): AppRefusal | StartError {
  const { data } = errorAnswer.safeParse(answer);
  const message = data?.error.message ?? `it answered ${status}.`;
  if (data && REFUSALS.includes(status)) return new AppRefusal(status, message, problemsIn(data.error.problems));
  if (status === 401 && !data)
    return new StartError(
      `${origin} does not accept the sign-in: check --scope. Without REQUIRE_SIGN_IN, the app asks for a key as well; use --account.`,
    );
  return new StartError(`${origin} refuses: ${message}`);
}

function problemsIn(problems: unknown): AppRefusal['problems'] {
  return Array.isArray(problems) ? problems.map(({ path, message }) => ({ path, message })) : [];
}

/** Returns a refusal as the wrong option that has caused it: `filter.resourceType` is `--resource-type`. */
export function optionErrorOfRefusal(
  { message, problems }: AppRefusal,
  names: Record<string, string> = {},
): OptionError {
  const texts = problems.map(({ path, message: what }) => {
    const name = path.split('.').findLast((part) => !/^\d+$/.test(part)) ?? path;
    return `--${names[name] ?? name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} ${what}`;
  });
  return new OptionError(texts.length > 0 ? texts.join('; ') : message);
}
