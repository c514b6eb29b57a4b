import { Readable } from 'node:stream';
import type { BlobServiceClient, ContainerClient } from '@azure/storage-blob';
import { listBlobs } from './azure-blob-list.js';
import { abortedBy, reasonOf, statusOf, toStorageError } from './azure-errors.js';
import { createStorageHttp } from './azure-http.js';
import { type About, aboutOrNothing, type BlobPage, type BlobStore, type BlobText, decodeBlob } from './blob-store.js';
import type { StorageConnection } from './storage-connection.js';

const COPY_BYTES = 4 * 1024 * 1024;

type Opened = { readonly service: BlobServiceClient; readonly client: ContainerClient };

/** Returns a container of Blob Storage. The SDK repeats no request. It loads at the first call, but not for a list. */
export function createAzureBlobStore(connection: StorageConnection<'blob'>, container: string): BlobStore {
  const http = createStorageHttp(connection, 'blob');
  let opened: Promise<Opened> | undefined;
  const open = (): Promise<Opened> => {
    opened ??= openContainer(connection, container);
    return opened;
  };
  const download = async (name: string, signal: AbortSignal | undefined) => {
    const { client } = await open();
    return client.getBlobClient(name).download(0, undefined, { maxRetryRequests: 0, ...abortedBy(signal) });
  };

  async function readText(name: string, maxBytes: number, signal?: AbortSignal): Promise<BlobText | undefined> {
    try {
      const answer = await download(name, signal);
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of answer.readableStreamBody ?? []) {
        chunks.push(chunk as Buffer);
        bytes += chunk.length;
        if (bytes > maxBytes) break;
      }
      return decodeBlob(Buffer.concat(chunks), maxBytes);
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw toStorageError(error, 'read a blob');
    }
  }

  return {
    async prepare(signal) {
      try {
        const { service, client } = await open();
        for await (const { name } of service.listContainers({ prefix: container, ...abortedBy(signal) })) {
          if (name === container) return;
        }
        await client.createIfNotExists(abortedBy(signal));
      } catch (error) {
        throw toStorageError(error, 'create a container');
      }
    },

    async create(name, content, { about } = {}, signal) {
      const options = { ...createOnly(about), ...abortedBy(signal) };
      try {
        const { client } = await open();
        const upload = () => client.getBlockBlobClient(name).upload(content, Buffer.byteLength(content), options);
        await upload().catch(async (error: unknown) => {
          if (reasonOf(error) !== 'ContainerNotFound') throw error;
          await client.createIfNotExists(abortedBy(signal));
          await upload();
        });
        return 'created';
      } catch (error) {
        if (reasonOf(error) === 'BlobAlreadyExists' || statusOf(error) === 412) return 'exists';
        throw toStorageError(error, 'write a blob');
      }
    },

    read: async (name, signal) => (await readText(name, Number.POSITIVE_INFINITY, signal))?.text,
    readText,

    async copy(from, to, { about } = {}, signal) {
      let body: Readable | undefined;
      try {
        body = ((await download(from, signal)).readableStreamBody ?? Readable.from([])) as Readable;
        // The blob exists only when the list of its blocks is written: all of it, or nothing.
        const options = { ...createOnly(about), ...abortedBy(signal) };
        const { client } = await open();
        await client.getBlockBlobClient(to).uploadStream(body, COPY_BYTES, 1, options);
        return 'created';
      } catch (error) {
        if (isAbsent(error)) return 'absent';
        if (reasonOf(error) === 'BlobAlreadyExists' || statusOf(error) === 412) return 'exists';
        throw toStorageError(error, 'copy a blob');
      } finally {
        body?.destroy();
      }
    },

    async delete(name, signal) {
      try {
        const { client } = await open();
        await client.getBlobClient(name).delete(abortedBy(signal));
      } catch (error) {
        if (!isAbsent(error)) throw toStorageError(error, 'delete a blob');
      }
    },

    async list(prefix, { limit, page }, signal): Promise<BlobPage> {
      try {
        return await listBlobs(http, { container, prefix, limit, ...(page !== undefined && { page }) }, signal);
      } catch (error) {
        if (isAbsent(error)) return { blobs: [], next: undefined };
        throw toStorageError(error, 'list the blobs');
      }
    },
  };
}

/** Returns the options of a write that creates a blob, and never changes an existing one. */
function createOnly(about: About | undefined) {
  const metadata = encodeAbout(about);
  return {
    blobHTTPHeaders: { blobContentType: 'application/json' },
    conditions: { ifNoneMatch: '*' },
    ...(metadata && { metadata }),
  };
}

/** Metadata is sent in headers, which are ASCII. */
function encodeAbout(about: About | undefined): About | undefined {
  const kept = aboutOrNothing(about);
  const texts = Object.entries(kept ?? {});
  return kept && Object.fromEntries(texts.map(([name, text]) => [name, encodeURIComponent(text.toWellFormed())]));
}

async function openContainer(connection: StorageConnection<'blob'>, container: string): Promise<Opened> {
  const { BlobServiceClient } = await import('@azure/storage-blob');
  const options = { retryOptions: { maxTries: 1 } };
  const service =
    connection.kind === 'identity'
      ? new BlobServiceClient(connection.blobServiceUri, connection.credential, options)
      : BlobServiceClient.fromConnectionString(connection.connectionString, options);
  return { service, client: service.getContainerClient(container) };
}

function isAbsent(error: unknown): boolean {
  const reason = reasonOf(error);
  return reason === 'BlobNotFound' || reason === 'ContainerNotFound';
}
