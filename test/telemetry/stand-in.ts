import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

export type Received = {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
};

type Answer = (response: ServerResponse, received: Received) => unknown;

/**
 * Starts a server in place of a collector or of Application Insights. It keeps the requests, and answers 200 until the
 * test sets another answer.
 */
export async function startStandIn() {
  const received: Received[] = [];
  const looking = new Set<() => void>();
  let answer: Answer = (response) => response.writeHead(200).end();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = '', url = '', headers } = request;
    const sent = Buffer.concat(chunks);
    const one = { method, url, headers, body: headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent };
    received.push(one);
    answer(response, one);
    for (const look of [...looking]) look();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answers(next: Answer): void {
      answer = next;
    },
    /** Resolves when `isThere` is true of the received requests. */
    async has(isThere: (received: readonly Received[]) => boolean): Promise<void> {
      await new Promise<void>((resolve) => {
        const look = () => {
          if (!isThere(received)) return;
          looking.delete(look);
          resolve();
        };
        looking.add(look);
        look();
      });
    },
    async stop(): Promise<void> {
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
}

export type StandIn = Awaited<ReturnType<typeof startStandIn>>;
