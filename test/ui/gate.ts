import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The functions that Azure lets only the key `_master` call, by what their paths hold. */
const OF_ADMINS = [/\/access$/, /\/payload$/, /\/(redrive|discard|outcomes|pause|resume)$/, /\/reconcile(\/|$)/];
const OPEN = [/^\/api\/ui(\/|$)/, /^\/$/];
const SESSION = 'AppServiceAuthSession';
const ENDED = `${SESSION}=; Path=/; Max-Age=0`;

/** Returns the headers that the app gets; undefined if the gate has answered the request itself. */
type Admit = (incoming: IncomingMessage, outgoing: ServerResponse) => IncomingHttpHeaders | undefined;

/** Starts a proxy before the app that wants keys as Azure does: `look` for most functions, `act` for all. */
export function startKeyCheck(appUrl: string) {
  return startGate(appUrl, ({ url = '', headers }, outgoing) => {
    const key = headers['x-functions-key'];
    const isAllowed = key === 'act' || (key === 'look' && !OF_ADMINS.some((one) => one.test(pathOf(url))));
    if (isAllowed || isOpen(url)) return headers;
    outgoing.writeHead(401).end();
    return undefined;
  });
}

type SignInOptions = {
  /** The headers that the authentication of Azure makes for the person who signs in next. */
  readonly headersOf: () => Record<string, string>;
  /** Whether it redirects a request without a sign-in, or answers 401. */
  readonly redirects: () => boolean;
};

/**
 * Starts a proxy before the app that behaves as Azure's authentication does: it signs in at `/.auth/login/aad` with a
 * cookie of its own, removes headers that a client sends under its names, and sends its own. `expire` ends all sessions.
 */
export async function startSignIn(appUrl: string, { headersOf, redirects }: SignInOptions) {
  const sessions = new Map<string, Record<string, string>>();
  const gate = await startGate(appUrl, ({ url = '', headers }, outgoing) => {
    const to = new URL(url, appUrl);
    if (to.pathname === '/.auth/login/aad') {
      const id = String(sessions.size + 1);
      sessions.set(id, headersOf());
      return redirect(outgoing, to.searchParams.get('post_login_redirect_uri'), `${SESSION}=${id}; Path=/; HttpOnly`);
    }
    if (to.pathname === '/.auth/logout')
      return redirect(outgoing, to.searchParams.get('post_logout_redirect_uri'), ENDED);
    const own = Object.entries(headers).filter(([name]) => !name.startsWith('x-ms-client-principal'));
    const id = new RegExp(`${SESSION}=(\\d+)`).exec(headers.cookie ?? '')?.[1];
    const signedIn = sessions.get(id ?? '');
    if (signedIn || isOpen(url)) return { ...Object.fromEntries(own), ...signedIn };
    // Without a cookie nothing has ended. This answer could arrive after that of a sign-in, and remove its cookie.
    if (redirects()) return redirect(outgoing, '/.auth/login/aad', id === undefined ? undefined : ENDED);
    outgoing.writeHead(401, { 'WWW-Authenticate': 'Bearer realm="app.azurewebsites.net"' }).end();
    return undefined;
  });
  return { ...gate, expire: () => sessions.clear() };
}

function redirect(outgoing: ServerResponse, location: string | null, cookie: string | undefined): undefined {
  outgoing.writeHead(302, { Location: location ?? '/', ...(cookie && { 'Set-Cookie': cookie }) }).end();
}

async function startGate(appUrl: string, admit: Admit) {
  const to = new URL(appUrl);
  const seen: string[] = [];
  const server = createServer((incoming, outgoing) => {
    seen.push(incoming.url ?? '');
    const admitted = admit(incoming, outgoing);
    if (!admitted) return;
    const { origin: _, ...headers } = { ...admitted, host: to.host };
    const forwarded = request(
      { host: to.hostname, port: to.port, path: incoming.url, method: incoming.method, headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** The URLs of all requests. */
    seen,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function pathOf(url: string): string {
  return url.split('?')[0] ?? '';
}

function isOpen(url: string): boolean {
  return OPEN.some((one) => one.test(pathOf(url)));
}
