import { Agent, type IncomingMessage, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { startServer } from './local-server.js';

/** A proxy between an app and its tables that counts requests and written entities. */
export type CountingProxy = AsyncDisposable & {
  /** The connection string of the storage, with the table endpoint of this proxy. */
  readonly connectionString: string;
  /** `entities` counts each row that a transaction writes. */
  counts(): Counts;
};

/** The numbers of requests and of written entities so far. */
export type Counts = {
  readonly requests: number;
  readonly entities: number;
  /** Requests by kind and table, such as `read resources`. */
  readonly by: ReadonlyMap<string, number>;
};

const TABLE_ENDPOINT = /(?<=TableEndpoint=)http:\/\/[^/;]+/;
/** The first line of each write in the body of a transaction. */
const WRITE_IN_TRANSACTION = /^(?:POST|PUT|MERGE|PATCH|DELETE) /gm;

/** The URL of the first write. */
const TABLE_IN_TRANSACTION = /^(?:POST|PUT|MERGE|PATCH|DELETE) (\S+)/m;

export async function startCountingProxy(storage: string): Promise<CountingProxy> {
  const target = TABLE_ENDPOINT.exec(storage)?.[0];
  if (!target) throw new TypeError('The connection string names no table endpoint.');
  const agent = new Agent({ keepAlive: true });
  let requests = 0;
  let entities = 0;
  const by = new Map<string, number>();
  const server = await startServer(async (incoming, outgoing) => {
    const body = await buffer(incoming);
    requests += 1;
    entities += writesIn(incoming, body);
    const what = whatOf(incoming, body);
    by.set(what, (by.get(what) ?? 0) + 1);
    const { method, url = '/', rawHeaders } = incoming;
    const onward = request(new URL(target), { method, path: url, headers: rawHeaders, agent }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(outgoing);
    });
    onward.once('error', () => outgoing.destroy()).end(body);
  });
  return {
    connectionString: storage.replace(TABLE_ENDPOINT, server.origin),
    counts: () => ({ requests, entities, by: new Map(by) }),
    async [Symbol.asyncDispose]() {
      agent.destroy();
      await server[Symbol.asyncDispose]();
    },
  };
}

function writesIn({ method, url = '' }: IncomingMessage, body: Buffer): number {
  if (url.split('?', 1)[0]?.endsWith('/$batch')) return body.toString().match(WRITE_IN_TRANSACTION)?.length ?? 0;
  return method === 'GET' || url.includes('/Tables') ? 0 : 1;
}

function whatOf({ method, url = '' }: IncomingMessage, body: Buffer): string {
  const path = url.split('?', 1)[0] ?? '';
  const place = path.endsWith('/$batch') ? (TABLE_IN_TRANSACTION.exec(body.toString())?.[1] ?? '') : path;
  const table = (/\/([A-Za-z]\w*)(?:\([^/]*\))?$/.exec(place)?.[1] ?? '').replace(/^ledger\d+/, 'ledger');
  const verb = method === 'GET' ? (path.endsWith('()') ? 'query' : 'read') : 'write';
  return `${verb} ${table}`;
}
