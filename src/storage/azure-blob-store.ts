import { Readable } from 'node:stream';
import type { BlobClient, BlobServiceClient, ContainerClient } from '@azure/storage-blob';
import { listBlobs } from './azure-blob-list.js';
import { abortedBy, createCall, reasonOf, statusOf, toStorageError, undefinedIf } from './azure-errors.js';
import { createStorageHttp } from './azure-http.js';
import {
  type BlobMetadata,
  type BlobPage,
  type BlobStore,
  type BlobText,
  decodeBlob,
  withoutEmptyTexts,
} from './blob-store.js';
import type { StorageConnection } from './storage-connection.js';

const COPY_BYTES = 4 * 1024 * 1024;

type Opened = { readonly service: BlobServiceClient; readonly client: ContainerClient };

/** Returns a container of Blob Storage. The SDK repeats no request. It loads at the first call, but not for a list. */
export function createAzureBlobStore(connection: StorageConnection<'blob'>, container: string): BlobStore {
  const http = createStorageHttp(connection, 'blob');
  const call = createCall(() => openContainer(connection, container));
  const readText: BlobStore['readText'] = (name, maxBytes, signal) =>
    call('read a blob', ({ client }) => readBlob(client.getBlobClient(name), maxBytes, signal));

  return {
    prepare: (signal) => call('create a container', (both) => createIfAbsent(both, signal)),
    create: (name, content, { metadata } = {}, signal) =>
      call('write a blob', ({ client }) => createBlob(client, { name, content }, createOnly(metadata, signal))),
    read: async (name, signal) => (await readText(name, Number.POSITIVE_INFINITY, signal))?.text,
    readText,
    copy: (from, to, { metadata } = {}, signal) =>
      call('copy a blob', ({ client }) => copyBlob(client, { from, to }, createOnly(metadata, signal))),
    delete: (name, signal) =>
      call('delete a blob', async ({ client }) => {
        await client.getBlobClient(name).delete(abortedBy(signal)).catch(undefinedIf(isAbsent));
      }),
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

/** Lists first, so that no request fails if the container exists. */
async function createIfAbsent({ service, client }: Opened, signal: AbortSignal | undefined): Promise<void> {
  const { containerName } = client;
  for await (const { name } of service.listContainers({ prefix: containerName, ...abortedBy(signal) })) {
    if (name === containerName) return;
  }
  await client.createIfNotExists(abortedBy(signal));
}

type CreateOptions = ReturnType<typeof createOnly>;

function createBlob(
  client: ContainerClient,
  { name, content }: { readonly name: string; readonly content: string | Uint8Array },
  options: CreateOptions,
): Promise<'created' | 'exists'> {
  const upload = () => client.getBlockBlobClient(name).upload(content, Buffer.byteLength(content), options);
  const created = upload().catch(async (error: unknown) => {
    if (reasonOf(error) !== 'ContainerNotFound') throw error;
    await client.createIfNotExists(abortedBy(options.abortSignal));
    await upload();
  });
  return createdOrExists(created);
}

async function readBlob(
  client: BlobClient,
  maxBytes: number,
  signal: AbortSignal | undefined,
): Promise<BlobText | undefined> {
  const answer = await download(client, signal).catch(undefinedIf(isAbsent));
  if (!answer) return undefined;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer.readableStreamBody ?? []) {
    chunks.push(chunk as Buffer);
    bytes += chunk.length;
    if (bytes > maxBytes) break;
  }
  return decodeBlob(Buffer.concat(chunks), maxBytes);
}

async function copyBlob(
  client: ContainerClient,
  { from, to }: { readonly from: string; readonly to: string },
  options: CreateOptions,
): Promise<'created' | 'exists' | 'absent'> {
  const answer = await download(client.getBlobClient(from), options.abortSignal).catch(undefinedIf(isAbsent));
  if (!answer) return 'absent';
  const body = (answer.readableStreamBody ?? Readable.from([])) as Readable;
  // The blob exists only when the list of its blocks is written: all of it, or nothing.
  const written = client.getBlockBlobClient(to).uploadStream(body, COPY_BYTES, 1, options);
  return createdOrExists(written.finally(() => body.destroy()));
}

function download(client: BlobClient, signal: AbortSignal | undefined) {
  return client.download(0, undefined, { maxRetryRequests: 0, ...abortedBy(signal) });
}

/** Returns the options of a write that creates a blob, and never changes an existing one. */
function createOnly(metadata: BlobMetadata | undefined, signal: AbortSignal | undefined) {
  const encoded = encodeMetadata(metadata);
  return {
    blobHTTPHeaders: { blobContentType: 'application/json' },
    conditions: { ifNoneMatch: '*' },
    ...(encoded && { metadata: encoded }),
    ...abortedBy(signal),
  };
}

/** Metadata is sent in headers, which are ASCII. */
function encodeMetadata(metadata: BlobMetadata | undefined): BlobMetadata | undefined {
  const kept = withoutEmptyTexts(metadata);
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

async function createdOrExists(write: Promise<unknown>): Promise<'created' | 'exists'> {
  try {
    await write;
    return 'created';
  } catch (error) {
    if (reasonOf(error) === 'BlobAlreadyExists' || statusOf(error) === 412) return 'exists';
    throw error;
  }
}

function isAbsent(error: unknown): boolean {
  const reason = reasonOf(error);
  return reason === 'BlobNotFound' || reason === 'ContainerNotFound';
}
