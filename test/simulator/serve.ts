import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { SimulatorAnswer, SimulatorRequest } from '../../src/simulator/http.js';

type Service = { answer(request: SimulatorRequest): SimulatorAnswer };

/** A simulated service over HTTP, below a path on a free port of this machine, for clients that know nothing of it. */
export async function serve(service: Service, path: string): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer(async (incoming, outgoing) => {
    const { pathname, searchParams } = new URL(incoming.url ?? '/', url);
    const { status, headers, body } = service.answer({
      method: incoming.method ?? 'GET',
      path: pathname.slice(path.length).replace(/^\//, ''),
      query: searchParams,
      headers: new Headers(Object.entries(incoming.headersDistinct).map(([name, values]) => [name, String(values)])),
      body: await buffer(incoming),
      base: url,
    });
    outgoing.writeHead(status, headers).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
  return {
    url,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
