import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describeError, type HostLog } from './host-log.js';
import { StartError } from './start-error.js';

/** An HTTP answer. */
export type Answer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
};

/** An HTTP request, with its body read. */
export type Request = {
  readonly method: string;
  /** Path and query, as sent. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
};

export function textAnswer(status: number, body: string): Answer {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body };
}

export type HostServer = Awaited<ReturnType<typeof openServer>>;
/** Answers one request. */
export type Handle = (request: Request) => Promise<Answer>;

/** The real host's limit. Event Grid sends at most 1 MB. */
const BODY_LIMIT = 104_857_600;

/** The real host's value: a client can keep a connection for long between two deliveries. */
const KEEP_ALIVE_MS = 130_000;

/**
 * Opens the HTTP server, on the loopback address only, because this host needs no keys. The server answers 503 until
 * `answerWith` is called, and again while the host ends. @throws StartError where the port is not available.
 */
export async function openServer(port: number, log: HostLog) {
  let handle: Handle | undefined;
  const server = createServer(async (incoming, response) => {
    const answer = await answerTo(incoming, () => handle, log);
    if (!handle) response.shouldKeepAlive = false;
    if (!response.destroyed) send(response, answer);
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  await listen(server, port);
  const closed = new Promise<void>((resolve) => server.once('close', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    answerWith(next: Handle): void {
      handle = next;
    },
    /** Accepts no new connection and no new request. Resolves when all open requests are answered. */
    async stopAccepting(): Promise<void> {
      handle = undefined;
      server.close();
      await closed;
    },
    /** Closes all connections, and resolves when the port is free. */
    async close(): Promise<void> {
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answerTo(incoming: IncomingMessage, current: () => Handle | undefined, log: HostLog): Promise<Answer> {
  try {
    const body = await readBody(incoming);
    const handle = current();
    if (body === 'too large') return { status: 413 };
    if (!handle) return { status: 503, headers: { connection: 'close' } };
    return await handle({
      method: incoming.method ?? 'GET',
      target: incoming.url ?? '/',
      headers: singleHeaders(incoming),
      body,
    });
  } catch (error) {
    if (!incoming.complete) return { status: 400 }; // the sender has closed the connection: nobody gets this answer
    log('error', `A request could not be answered: ${describeError(error)}`);
    return { status: 500 };
  }
}

/** Reads a body to its end, even if it is too large, so that the sender can read the answer. */
async function readBody(incoming: IncomingMessage): Promise<Buffer | 'too large'> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming) {
    length += chunk.length;
    if (length <= BODY_LIMIT) chunks.push(chunk);
    else chunks.length = 0;
  }
  return length > BODY_LIMIT ? 'too large' : Buffer.concat(chunks);
}

function singleHeaders({ headers }: IncomingMessage): Record<string, string> {
  const single: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) single[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return single;
}

function send(response: ServerResponse, { status, headers = {}, body }: Answer): void {
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.end(body);
}

async function listen(server: Server, port: number): Promise<void> {
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'is in use by another program' : `cannot be had (${code})`;
    throw new StartError(`Port ${port} ${why}. End it, or take another port: PORT=${port + 1} npm start`);
  }
}
