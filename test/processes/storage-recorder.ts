import { once } from 'node:events';
import { Agent, createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A proxy between a host and its storage that records each request with its status. */
export type StorageRecorder = AsyncDisposable & {
  /** The connection string of the storage through this recorder. */
  readonly connectionString: string;
  /** `method path status` of each request so far, without its query. */
  readonly requests: string[];
};

const ENDPOINT = /http:\/\/127\.0\.0\.1:(\d+)(?=\/)/g;

export async function startStorageRecorder(storage: string): Promise<StorageRecorder> {
  const agent = new Agent({ keepAlive: true });
  const requests: string[] = [];
  const servers: Server[] = [];
  const ports = new Map<string, number>();
  for (const [endpoint] of storage.matchAll(ENDPOINT)) ports.set(endpoint, await openServer(endpoint));
  return {
    connectionString: storage.replaceAll(ENDPOINT, (endpoint) => `http://127.0.0.1:${ports.get(endpoint)}`),
    requests,
    async [Symbol.asyncDispose]() {
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
      agent.destroy();
    },
  };

  async function openServer(target: string): Promise<number> {
    const server = createServer((incoming, outgoing) => {
      const { method = '', url = '/', rawHeaders } = incoming;
      const onward = request(new URL(target), { method, path: url, headers: rawHeaders, agent }, (answer) => {
        requests.push(`${method} ${url.split('?', 1)[0]} ${answer.statusCode}`);
        outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        answer.pipe(outgoing);
      });
      onward.once('error', () => outgoing.destroy());
      incoming.pipe(onward);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    servers.push(server);
    return (server.address() as AddressInfo).port;
  }
}
