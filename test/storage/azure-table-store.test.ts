import { createStorageHttp } from '../../src/storage/azure-http.js';
import { createAzureTableStore } from '../../src/storage/azure-table-store.js';
import { accountOf } from '../../src/storage/storage-connection.js';
import type { Operation } from '../../src/storage/table-store.js';
import { createFakeClock } from '../../src/testing/index.js';
import { testConnection } from '../azurite/connection.js';
import { startStorageServer, tableError, transactionError, useStorageServer } from './storage-server.js';
import { tableStoreContract } from './table-store.contract.js';

describe('a table store on Azurite', () =>
  tableStoreContract(() => createAzureTableStore({ kind: 'connection-string', connectionString: testConnection() })));

const one: Operation[] = [{ kind: 'insert', key: 'secret-key', row: { value: 'secret-value' } }];
const SIGNATURE = 'SA//AxDRFkh9j6tgmtNScvSr3+tCxiAVBssxPT7BOc8=';
const two: Operation[] = [...one, { kind: 'delete', key: 'other' }];

describe('a table store whose storage fails', () => {
  const server = useStorageServer();

  function everyCall(signal?: AbortSignal) {
    const store = createAzureTableStore(server.connection);
    return [
      () => store.commit('rows', 'p', one, signal),
      () => store.commit('rows', 'p', two, signal),
      () => store.read('rows', 'p', 'secret-key', signal),
      () => store.query('rows', { partition: 'secret-key', limit: 1 }, signal),
      () => store.create('rows', signal),
      () => store.drop('rows', signal),
      () => store.list('rows', signal),
    ];
  }

  it.each([
    { status: 500, odata: 'InternalError', code: 'http-500', isRejected: false },
    { status: 503, odata: 'ServerBusy', code: 'http-503', isRejected: false },
    { status: 429, odata: 'TooManyRequests', code: 'http-429', isRejected: false },
    { status: 403, odata: 'AuthorizationFailure', code: 'forbidden', isRejected: false },
    { status: 409, odata: 'AccountBeingMoved', code: 'http-409', isRejected: false },
    { status: 400, odata: 'InvalidInput', code: 'http-400', isRejected: true },
    { status: 413, odata: 'RequestBodyTooLarge', code: 'http-413', isRejected: true },
  ])(
    'given $status $odata, then the error is $code after one request, and has nothing of rows or addresses',
    async ({ status, odata, code, isRejected }) => {
      server.answerWith(tableError(status, odata));

      for (const [index, call] of everyCall().entries()) {
        const error = await call().catch((reason: unknown) => reason);
        expect(error).toMatchObject({ name: 'StorageError', code, isRejected });
        expect((error as Error).message).toContain(odata);
        expect(JSON.stringify(error) + String(error)).not.toMatch(/secret|rows|127\.0\.0\.1/);
        expect((error as Error).cause).toBeUndefined();
        expect(server.requests).toHaveLength(index + 1);
      }
    },
  );

  it('given 404 from something else than storage, then the error does not count as a missing row or table', async () => {
    server.answerWith((response) => response.writeHead(404, { 'content-type': 'text/html' }).end('<p>Not found</p>'));

    for (const call of everyCall().slice(0, 5)) {
      await expect(call()).rejects.toMatchObject({ code: 'http-404', isRejected: false });
    }
  });

  it('given no server at the address, then the error is unreachable', async () => {
    const calls = everyCall();
    await server.close();

    for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'unreachable', isRejected: false });
  });

  it('given the connection breaks after the request, then the error is unreachable, after one request', async () => {
    server.answerWith((response) => response.destroy());

    for (const [index, call] of everyCall().entries()) {
      await expect(call()).rejects.toMatchObject({ code: 'unreachable', isRejected: false });
      expect(server.requests).toHaveLength(index + 1);
    }
  });

  it('given a kept connection that closes during a request, then a read is sent again, and the outcome of a write is unknown', async () => {
    const store = createAzureTableStore(server.connection);
    const seen = new Set<unknown>();
    server.answerWith((response, { socket }) => {
      if (seen.has(socket)) return socket.resetAndDestroy();
      seen.add(socket);
      return tableError(404, 'ResourceNotFound')(response);
    });
    await store.read('rows', 'p', 'k');

    const read = await store.read('rows', 'p', 'k');
    const sent = server.requests.length;
    await store.read('rows', 'p', 'k'); // keeps a connection
    const write = store.commit('rows', 'p', one);

    await expect(write).rejects.toMatchObject({ code: 'unreachable' });
    expect([read.stored, sent, server.requests.length]).toEqual([undefined, 3, 5]);
  });

  it('given a signal that has aborted, then nothing is sent', async () => {
    for (const call of everyCall(AbortSignal.abort())) await expect(call()).rejects.toMatchObject({ code: 'aborted' });

    expect(server.requests).toEqual([]);
  });

  it('given no answer and a signal that aborts, then the call ends', async () => {
    const store = createAzureTableStore(server.connection);
    const caller = new AbortController();
    server.answerWith(() => caller.abort());

    await expect(store.commit('rows', 'p', two, caller.signal)).rejects.toMatchObject({ code: 'aborted' });
  });

  it('given half an answer to a transaction, then the transaction does not count as done', async () => {
    server.answerWith((response) =>
      response
        .writeHead(202, { 'content-type': 'multipart/mixed; boundary=batchresponse_1' })
        .end('--batchresponse_1\r\n--changesetresponse_1\r\nHTTP/1.1 204 No Content\r\n--changesetresponse_1--\r\n'),
    );

    await expect(createAzureTableStore(server.connection).commit('rows', 'p', two)).rejects.toMatchObject({
      code: 'garbled',
      isRejected: false,
    });
  });

  it.each([
    { status: 409, odata: 'EntityAlreadyExists', why: 'exists' },
    { status: 412, odata: 'UpdateConditionNotSatisfied', why: 'changed' },
    { status: 404, odata: 'ResourceNotFound', why: 'absent' },
    { status: 404, odata: 'EntityNotFound', why: 'absent' },
  ])('given $odata, then the operation is refused: $why', async ({ status, odata, why }) => {
    const store = createAzureTableStore(server.connection);

    server.answerWith(tableError(status, odata));
    expect(await store.commit('rows', 'p', one)).toEqual({ kind: 'refused', index: 0, why });

    server.answerWith(transactionError(status, odata, `1:${odata}.\nRequestId:1`));
    expect(await store.commit('rows', 'p', two)).toEqual({ kind: 'refused', index: 1, why });
  });

  it.each(['The specified entity already exists.', '2:The specified entity already exists.'])(
    'given a refusal that names no operation of the transaction (%s), then the error is thrown',
    async (message) => {
      server.answerWith(transactionError(409, 'EntityAlreadyExists', message));

      await expect(createAzureTableStore(server.connection).commit('rows', 'p', two)).rejects.toMatchObject({
        code: 'http-409',
      });
    },
  );

  it.each([
    { status: 404, odata: 'TableNotFound', kind: 'no-table', created: undefined },
    { status: 409, odata: 'TableBeingDeleted', kind: 'table-busy', created: 'busy' },
    { status: 409, odata: 'TableAlreadyExists', kind: undefined, created: 'ready' },
  ])(
    'given $odata, then writes get no-table or table-busy, and reads find no row',
    async ({ status, odata, kind, created }) => {
      const store = createAzureTableStore(server.connection);
      const answer = tableError(status, odata);
      server.answerWith(answer);

      if (created !== undefined) expect(await store.create('rows')).toBe(created);
      if (kind === undefined) return;
      expect(await store.commit('rows', 'p', one)).toEqual({ kind });
      expect(await store.read('rows', 'p', 'k')).toEqual({ stored: undefined, now: expect.any(Date) });
      expect(await store.query('rows', { limit: 1 })).toEqual({ rows: [], next: undefined, now: expect.any(Date) });
      expect(await store.drop('rows')).toBeUndefined();
      server.answerWith(transactionError(status, odata, `0:${odata}.`));
      expect(await store.commit('rows', 'p', two)).toEqual({ kind });
    },
  );

  it('given a page with a continuation and no rows, then the next page is asked for with it', async () => {
    const store = createAzureTableStore(server.connection);
    server.answerWith((response) =>
      response
        .writeHead(200, {
          'content-type': 'application/json',
          'x-ms-continuation-NextPartitionKey': '1!4!cA--',
          'x-ms-continuation-NextRowKey': '1!4!aw--',
        })
        .end('{"value":[]}'),
    );

    const page = await store.query('rows', { limit: 5 });
    await store.query('rows', { limit: 5, page: page.next ?? '' });

    expect(page).toMatchObject({ rows: [], next: expect.any(String) });
    expect(server.requests[1]?.url).toContain('NextPartitionKey=1!4!cA--&NextRowKey=1!4!aw--');
  });

  it('given whole numbers beyond 32 bits and fractions, then they are sent as doubles, in rows and in filters', async () => {
    const store = createAzureTableStore(server.connection);
    const row = { a: 2 ** 31 - 1, b: 2 ** 31, c: -(2 ** 31), d: -(2 ** 31) - 1, e: 1.5 };

    server.answerWith((response) => response.writeHead(204, { etag: 'W/"1"' }).end());
    await store.commit('rows', 'p', [{ kind: 'insert', key: 'k', row }]);
    server.answerWith((response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"value":[]}'),
    );
    await store.query('rows', {
      limit: 1,
      anyOf: Object.values(row).map((value) => ({ property: 'n', is: 'eq', value })),
    });

    expect(JSON.parse(server.requests[0]?.body ?? '')).toEqual({
      PartitionKey: 'p',
      RowKey: 'k',
      ...row,
      'b@odata.type': 'Edm.Double',
      'd@odata.type': 'Edm.Double',
      'e@odata.type': 'Edm.Double',
    });
    expect(new URL(server.requests[1]?.url ?? '', 'http://localhost').searchParams.get('$filter')).toBe(
      '(n eq 2147483647 or n eq 2147483648.0 or n eq -2147483648 or n eq -2147483649.0 or n eq 1.5)',
    );
  });

  it.each(['<p>A page of a proxy</p>', 'null', '{"value":[', ''])(
    'given an answer that storage never gives (%s), then the error is garbled',
    async (body) => {
      const store = createAzureTableStore(server.connection);
      server.answerWith((response) => response.writeHead(200, { 'content-type': 'application/json' }).end(body));

      await expect(store.read('rows', 'p', 'k')).rejects.toMatchObject({ code: 'garbled', isRejected: false });
      await expect(store.query('rows', { limit: 1 })).rejects.toMatchObject({ code: 'garbled', isRejected: false });
      await expect(store.list('rows')).rejects.toMatchObject({ code: 'garbled', isRejected: false });
    },
  );

  it('given many tables, then the list has all pages', async () => {
    const store = createAzureTableStore(server.connection);
    server.answerWith((response, { url = '' }) => {
      const isSecond = url.includes('NextTableName=rows2');
      const more = isSecond ? {} : { 'x-ms-continuation-NextTableName': 'rows2' };
      response
        .writeHead(200, { 'content-type': 'application/json', ...more })
        .end(JSON.stringify({ value: [{ TableName: isSecond ? 'rows2' : 'rows1' }] }));
    });

    expect(await store.list('rows')).toEqual(['rows1', 'rows2']);
    expect(await store.list('')).toEqual(['rows1', 'rows2']);
  });

  it('given values of other types, written by hand, then they read as the nearest type of the app', async () => {
    server.answerWith((response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(
        JSON.stringify({
          'odata.etag': 'W/"1"',
          PartitionKey: 'p',
          RowKey: 'k',
          Timestamp: '2026-03-01T12:00:00.1234567Z',
          'at@odata.type': 'Edm.DateTime',
          at: '2026-03-01T12:00:00.000Z',
          'big@odata.type': 'Edm.Int64',
          big: '9007199254740991',
          'bytes@odata.type': 'Edm.Binary',
          bytes: 'AAEC',
          text: '2026-03-01T12:00:00.000Z',
        }),
      ),
    );

    const { stored } = await createAzureTableStore(server.connection).read('rows', 'p', 'k');

    expect(stored).toEqual({
      partition: 'p',
      key: 'k',
      etag: 'W/"1"',
      modifiedAt: new Date('2026-03-01T12:00:00.123Z'),
      row: { at: '2026-03-01T12:00:00.000Z', big: Number.MAX_SAFE_INTEGER, text: '2026-03-01T12:00:00.000Z' },
    });
  });
});

describe('a connection', () => {
  it.each([
    {
      given: 'a key and an address suffix',
      connectionString:
        'DefaultEndpointsProtocol=https;AccountName=a;AccountKey=c2VjcmV0;EndpointSuffix=core.windows.net',
      then: {
        url: 'https://a.table.core.windows.net',
        sas: '',
        shared: { name: 'a' },
      },
    },
    {
      given: 'a shared access signature',
      connectionString: 'TableEndpoint=https://a.table.core.windows.net/;SharedAccessSignature=?sv=1&sig=a%3D',
      then: { url: 'https://a.table.core.windows.net', sas: 'sv=1&sig=a%3D' },
    },
    {
      given: 'development storage',
      connectionString: 'UseDevelopmentStorage=true',
      then: { url: 'http://127.0.0.1:10002/devstoreaccount1', sas: '', shared: { name: 'devstoreaccount1' } },
    },
  ])('given $given, then the URL of the tables and the key or signature are read', ({ connectionString, then }) => {
    expect(accountOf(connectionString, 'table')).toMatchObject(then);
  });

  it('given a shared access signature, then it ends the URL of each request, without another signature', async () => {
    const server = await startStorageServer();
    const { connectionString } = server.connection as { connectionString: string };
    const store = createAzureTableStore({
      kind: 'connection-string',
      connectionString: connectionString.replace('AccountKey=c2VjcmV0', 'SharedAccessSignature=sv=1&sig=a%3D'),
    });
    const authorizations: unknown[] = [];
    server.answerWith((response, { headers }) => {
      authorizations.push(headers.authorization);
      tableError(404, 'TableNotFound')(response);
    });

    await store.commit('rows', 'p', two);
    await store.read('rows', 'p', 'k');
    await store.query('rows', { limit: 7 });
    await server.close();

    expect(server.requests.map(({ url }) => url)).toEqual([
      '/account/$batch?sv=1&sig=a%3D',
      "/account/rows(PartitionKey='p',RowKey='k')?sv=1&sig=a%3D",
      '/account/rows()?$top=7&sv=1&sig=a%3D',
    ]);
    expect(authorizations).toEqual([undefined, undefined, undefined]);
  });

  it('given a key, then each request is signed for its path and second', async () => {
    const server = await startStorageServer();
    const clock = createFakeClock('2026-03-01T12:00:00.900Z');
    const http = createStorageHttp(server.connection, 'table', clock);
    const signed: string[] = [];
    server.answerWith((response, { headers }) => {
      signed.push(`${headers['x-ms-date']} ${headers.authorization}`);
      response.end();
    });

    for (const path of ['/$batch', '/rows', '/$batch']) await http.send({ method: 'GET', path }, undefined);
    clock.advance(1000);
    await http.send({ method: 'GET', path: '/$batch' }, undefined);
    await server.close();

    const [batch, rows, again, later] = signed;
    // printf 'Sun, 01 Mar 2026 12:00:00 GMT\n/account/account/$batch' | openssl dgst -sha256 -hmac secret -binary | base64
    expect(batch).toBe(`Sun, 01 Mar 2026 12:00:00 GMT SharedKeyLite account:${SIGNATURE}`);
    expect(again).toBe(batch);
    expect(new Set([batch, rows, later]).size).toBe(3);
  });

  it.each([
    'DefaultEndpointsProtocol=https;AccountName=a;AccountKey=c2VjcmV0;EndpointSuffix=core.windows.net',
    'UseDevelopmentStorage=true',
  ])('given %s, then a store is made without any request', (connectionString) => {
    expect(() => createAzureTableStore({ kind: 'connection-string', connectionString })).not.toThrow();
  });

  it('given an identity and an address without TLS, then no token is sent there', async () => {
    const server = await startStorageServer();
    const getToken = jest.fn(async () => ({ token: 'secret', expiresOnTimestamp: 4_102_444_800_000 }));
    const uri = `${(server.connection as { connectionString: string }).connectionString.split('TableEndpoint=')[1]?.split(';')[0]}`;
    const store = createAzureTableStore({
      kind: 'identity',
      tableServiceUri: uri,
      credential: { getToken },
    });

    await expect(store.read('rows', 'p', 'k')).rejects.toMatchObject({ name: 'StorageError' });

    expect(server.requests).toEqual([]);
    await server.close();
  });
});
