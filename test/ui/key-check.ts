import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The functions that Azure lets only the key `_master` call, by what their paths hold. */
const OF_ADMINS = [/\/access$/, /\/payload$/, /\/(redrive|discard|outcomes|pause|resume)$/, /\/reconcile(\/|$)/];
const OPEN = [/^\/api\/ui(\/|$)/, /^\/$/];

/** Starts a proxy before the app that wants keys as Azure does: `look` for most functions, `act` for all. */
export async function startKeyCheck(appUrl: string) {
  const to = new URL(appUrl);
  const seen: string[] = [];
  const server = createServer((incoming, outgoing) => {
    const path = incoming.url?.split('?')[0] ?? '';
    const key = incoming.headers['x-functions-key'];
    seen.push(incoming.url ?? '');
    const isAllowed = key === 'act' || (key === 'look' && !OF_ADMINS.some((one) => one.test(path)));
    if (!isAllowed && !OPEN.some((one) => one.test(path))) {
      outgoing.writeHead(401).end();
      return;
    }
    const headers = { ...incoming.headers, host: to.host };
    const { origin: _, ...rest } = headers;
    const forwarded = request(
      { host: to.hostname, port: to.port, path: incoming.url, method: incoming.method, headers: rest },
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
