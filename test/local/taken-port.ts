import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** Takes a port until `release`. It does not keep a failing test from ending. */
export async function takePort(wanted = 0): Promise<{ port: number; release(): void }> {
  const server = createServer().listen(wanted, '127.0.0.1').unref();
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, release: () => void server.close() };
}
