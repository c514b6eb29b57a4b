import type { Readable } from 'node:stream';
import type { PipelineResponse } from '@azure/core-rest-pipeline';
import type { Clock } from '../clock.js';
import { NonRetriableError } from '../errors.js';
import { classifyThrown } from './classify-response.js';
import type { Endpoint } from './endpoint.js';
import { type ReadError, readError, SERVICE_NAMES, type ServiceKind } from './read-error.js';

const MB = 1024 * 1024;
/** The memory for a resource or a page of a search (FHIR), or for the metadata of a whole study (DICOM). */
const MAX_BYTES = { fhir: 16 * MB, dicom: 64 * MB };
/** A longer unread answer costs more than a new connection. */
const MAX_DRAINED_BYTES = 64 * 1024;
/** A stream ends after this time without a chunk, or without a first read. */
const IDLE_MS = 30_000;

/** Content in chunks, to be read once. The connection is free when the loop over `content` ends, early or not. */
export type Streamed = { readonly contentType: string; readonly content: AsyncIterable<Uint8Array> };

/**
 * Returns the body as text.
 * @throws NonRetriableError if the body exceeds the memory for it: another request would get the same body.
 */
export async function readText(response: PipelineResponse, endpoint: Endpoint): Promise<string> {
  const { kind } = endpoint;
  const content = await readBytes(response, endpoint);
  if (content) return content.toString('utf8');
  const max = MAX_BYTES[kind];
  const message = `The ${SERVICE_NAMES[kind]} service answered with more than ${max / MB} MiB.`;
  throw new NonRetriableError(message, { code: `${kind}-too-large` });
}

/** Returns the bytes of a body; undefined if the body exceeds the memory for it. */
export function readBytes(response: PipelineResponse, { kind }: Endpoint): Promise<Buffer | undefined> {
  return readUpTo(MAX_BYTES[kind], response);
}

/** Returns the value of a body. Does not pass on the error of JSON.parse, which quotes the text. */
export function parseJson(text: string, kind: ServiceKind): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw readError(kind, 'not-json', 'answered with a body that is not JSON.');
  }
}

/** Reads a short answer to its end, because a connection with an unread answer cannot be used again. */
export async function drain(response: PipelineResponse): Promise<void> {
  await readUpTo(MAX_DRAINED_BYTES, response).catch(() => {}); // the status of the answer is known already
}

/** Returns the body; undefined if it is longer than `max`. */
async function readUpTo(max: number, response: PipelineResponse): Promise<Buffer | undefined> {
  const stream = streamIn(response);
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    if (Number(response.headers.get('content-length') ?? 0) > max) return undefined;
    for await (const chunk of stream) {
      bytes += chunk.length;
      if (bytes > max) return undefined;
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } finally {
    stream.destroy();
  }
}

/** Returns the body as a stream, which ends when `signal` aborts or no chunk arrives for 30 s. */
export function streamOf(
  response: PipelineResponse,
  endpoint: Endpoint,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Streamed {
  const stream = streamIn(response);
  let stopped: ReadError | undefined;
  const stop = (error: ReadError) => {
    stopped ??= error;
    stream.destroy();
  };
  const onAbort = () => stop(readError(endpoint.kind, 'aborted', 'was not read to the end: the caller aborted.'));
  const startIdle = () =>
    clock.after(IDLE_MS, () => stop(readError(endpoint.kind, 'timeout', `has sent nothing for ${IDLE_MS} ms.`)));
  let cancelIdle = startIdle();
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort);
  stream.once('close', () => {
    cancelIdle();
    signal.removeEventListener('abort', onAbort);
  });
  return { contentType: response.headers.get('content-type') ?? '', content: content() };

  async function* content(): AsyncGenerator<Uint8Array> {
    const chunks = stream[Symbol.asyncIterator]();
    try {
      for (;;) {
        cancelIdle();
        cancelIdle = startIdle();
        const next = await chunks.next();
        cancelIdle();
        if (stopped) throw stopped;
        if (next.done) return;
        yield next.value as Uint8Array;
      }
    } catch (error) {
      throw stopped ?? classifyThrown(error, endpoint).error;
    } finally {
      cancelIdle();
      stream.destroy();
    }
  }
}

/** Returns the body, which in Node is a Readable. An error of the stream without a reader must not end the process. */
function streamIn({ readableStreamBody }: PipelineResponse): Readable {
  const stream = readableStreamBody as Readable;
  stream.on('error', () => {});
  return stream;
}
