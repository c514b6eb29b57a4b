import { BlobServiceClient } from '@azure/storage-blob';
import { createAzureBlobStore } from '../../src/storage/azure-blob-store.js';
import type { StorageConnection } from '../../src/storage/storage-connection.js';
import { testConnection } from '../azurite/connection.js';
import { blobStoreContract } from './blob-store.contract.js';
import { startStorageServer, useStorageServer } from './storage-server.js';

const azurite = (): StorageConnection<'blob'> => ({ kind: 'connection-string', connectionString: testConnection() });

describe('a blob store on Azurite', () =>
  blobStoreContract(() => createAzureBlobStore(azurite(), crypto.randomUUID())));

describe('a blob store on Azurite, beyond the contract', () => {
  it('given a blob, then it is marked as JSON', async () => {
    const container = crypto.randomUUID();
    await createAzureBlobStore(azurite(), container).create('a.json', '{}');

    const blob = BlobServiceClient.fromConnectionString(testConnection())
      .getContainerClient(container)
      .getBlobClient('a.json');

    expect((await blob.getProperties()).contentType).toBe('application/json');
  });
});

describe('a blob store whose storage fails', () => {
  const server = useStorageServer();

  function everyCall(signal?: AbortSignal) {
    const store = createAzureBlobStore(server.connection, 'letters');
    return [
      () => store.create('secret-name', 'secret-content', {}, signal),
      () => store.read('secret-name', signal),
      () => store.readText('secret-name', 1, signal),
      () => store.copy('secret-name', 'other', {}, signal),
      () => store.delete('secret-name', signal),
      () => store.list('secret-prefix', { limit: 1 }, signal),
    ];
  }

  it('given a signal that has aborted, then nothing is sent', async () => {
    for (const call of everyCall(AbortSignal.abort())) await expect(call()).rejects.toMatchObject({ code: 'aborted' });

    expect(server.requests).toEqual([]);
  });

  it.each([
    { status: 500, reason: 'InternalError', code: 'http-500', isRejected: false },
    { status: 503, reason: 'ServerBusy', code: 'http-503', isRejected: false },
    { status: 403, reason: 'AuthorizationFailure', code: 'forbidden', isRejected: false },
    { status: 409, reason: 'ContainerBeingDeleted', code: 'http-409', isRejected: false },
    { status: 404, reason: 'AccountNotFound', code: 'http-404', isRejected: false },
    { status: 400, reason: 'InvalidInput', code: 'http-400', isRejected: true },
  ])(
    'given $status $reason, then the error is $code after one request, and has nothing of names or content',
    async ({ status, reason, code, isRejected }) => {
      server.answerWith((response) => response.writeHead(status, { 'x-ms-error-code': reason }).end());

      for (const [index, call] of everyCall().entries()) {
        const error = await call().catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ name: 'StorageError', code, isRejected });
        expect((error as Error).message).toContain(reason);
        expect(JSON.stringify(error) + String(error)).not.toMatch(/secret|letters|127\.0\.0\.1/);
        expect(server.requests).toHaveLength(index + 1);
      }
    },
  );

  it('given no server at the address, then the error is unreachable', async () => {
    const calls = everyCall();
    await server.close();

    for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('given the content breaks off, then the read fails', async () => {
    server.answerWith((response) => {
      response.writeHead(200, { 'content-length': '100', etag: '"1"' }).write('{"half":');
      setImmediate(() => response.destroy());
    });

    await expect(createAzureBlobStore(server.connection, 'letters').read('a')).rejects.toMatchObject({
      name: 'StorageError',
    });
    expect(server.requests).toHaveLength(1);
  });
});

describe('a list of blobs', () => {
  const LIST = (blob: string, next = '') =>
    `\uFEFF<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs>${blob}</Blobs><NextMarker>${next}</NextMarker></EnumerationResults>`;
  const BLOB = (name: string, metadata = '<Metadata />') =>
    `<Blob>${name}<Properties><Creation-Time>Sun, 01 Mar 2026 12:00:00 GMT</Creation-Time></Properties>${metadata}</Blob>`;
  const createdAt = new Date('2026-03-01T12:00:00Z');

  async function listed(xml: string) {
    const server = await startStorageServer();
    server.answerWith((response) => response.end(xml));
    const answer = createAzureBlobStore(server.connection, 'letters').list('p/', { limit: 2, page: 'a b+c' });
    const ended = await answer.catch((error: unknown) => error);
    await server.close();
    return { ended, urls: server.requests.map(({ url }) => url) };
  }

  it.each([
    {
      given: 'signs of XML',
      blob: BLOB('<Name>a&amp;b&lt;c&#x7A;&#67;</Name>'),
      then: [{ name: 'a&b<czC', createdAt }],
    },
    {
      given: 'a name that XML cannot hold',
      blob: BLOB('<Name Encoded="true">a%EF%BF%BF%25</Name>'),
      then: [{ name: 'a\uFFFF%', createdAt }],
    },
    {
      given: 'metadata that others wrote',
      blob: BLOB('<Name>a</Name>', '<Metadata><by>50 % &gt; 1</by><none /><x-1>a%20b</x-1></Metadata>'),
      then: [{ name: 'a', createdAt, metadata: { by: '50 % > 1', 'x-1': 'a b' } }],
    },
  ])('given $given, then the list reads as written', async ({ blob, then }) => {
    const { ended, urls } = await listed(LIST(blob, 'more&amp;'));

    expect(ended).toEqual({ blobs: then, next: 'more&' });
    expect(urls).toEqual([
      '/account/letters?restype=container&comp=list&include=metadata&maxresults=2&prefix=p%2F&marker=a%20b%2Bc',
    ]);
  });

  it.each([
    { given: 'half of a list', xml: LIST(BLOB('<Name>a</Name>')).slice(0, -30) },
    { given: 'a blob without a name', xml: LIST(BLOB('')) },
    { given: 'a blob without a time', xml: LIST('<Blob><Name>a</Name></Blob>') },
    { given: 'the page of a proxy', xml: '<html></html>' },
  ])('given $given, then the list is an error, not a shorter list', async ({ xml }) => {
    expect((await listed(xml)).ended).toMatchObject({ name: 'StorageError', code: 'garbled' });
  });
});
