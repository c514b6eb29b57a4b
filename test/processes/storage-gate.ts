import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A proxy between hosts and their storage. Shutting the gate cuts its connections; a shut gate refuses connections. */
export type StorageGate = {
  /** The connection string of the storage through this gate. */
  readonly connectionString: string;
  shut(): Promise<void>;
  open(): Promise<void>;
};

const ENDPOINT = /http:\/\/127\.0\.0\.1:(\d+)(?=\/)/g;

export async function openStorageGate(storage: string): Promise<StorageGate> {
  const doors = new Map<string, Door>();
  for (const [endpoint, port] of storage.matchAll(ENDPOINT)) doors.set(endpoint, await openDoor(Number(port)));
  return {
    connectionString: storage.replaceAll(ENDPOINT, (endpoint) => `http://127.0.0.1:${doors.get(endpoint)?.port}`),
    shut: async () => void (await Promise.all([...doors.values()].map((door) => door.shut()))),
    open: async () => void (await Promise.all([...doors.values()].map((door) => door.open()))),
  };
}

type Door = { port: number; shut(): Promise<void>; open(): Promise<void> };

async function openDoor(targetPort: number): Promise<Door> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((inner) => {
    const outer = connect(targetPort, '127.0.0.1');
    for (const [socket, other] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async shut() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.resetAndDestroy();
      await closed;
    },
    async open() {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
  };
}
