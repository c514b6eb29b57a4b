import { createHttpHeaders, createPipelineRequest, type PipelineResponse } from '@azure/core-rest-pipeline';
import { type Clock, endEarly, onAbort, type Random, sleep } from '../clock.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { drain, readText, type Streamed, streamOf } from './body.js';
import { classifyResponse, classifyThrown, type NotRead, type Retry } from './classify-response.js';
import type { Endpoint } from './endpoint.js';
import { readError } from './read-error.js';

/** A GET request. `path`: the path and query after the service's URL, encoded. */
type GetRequest = { readonly path: string; readonly accept: string; readonly signal: AbortSignal };

/** Reads from a service, with up to 3 requests. Undefined: the service has no such resource (404, 410). */
export type GetWithRetry = {
  text(endpoint: Endpoint, request: GetRequest): Promise<string | undefined>;
  /** Resolves with the headers. The content arrives while the caller reads it. */
  stream(endpoint: Endpoint, request: GetRequest): Promise<Streamed | undefined>;
};

const MAX_REQUESTS = 3;
/** Waits over 5 s reschedule the job (`RetryAfterError`), so that they do not hold a slot. */
const MAX_WAIT_MS = 5000;
/** The time limit of one request: to the end of a text, or to the headers of a stream. */
const REQUEST_MS = 10_000;
const FIRST_WAIT_MS = 500;
const OUTCOMES = { found: 'done', gone: 'gone', retry: 'failed', failed: 'failed' } as const;

type Read<T> = (response: PipelineResponse, endpoint: Endpoint) => T | Promise<T>;
type ReadResult<T> = { kind: 'found'; value: T } | NotRead;

// A read          |-- request, max. 10 s --|-- wait, max. 5 s --|-- request --|-- wait --|-- request --|
// It ends with an answer, with RetryAfterError if the service asks for a longer wait, with ReadError, or at once when
// `signal` aborts.
export function createGetWithRetry(deps: { clock: Clock; random: Random; telemetry: Telemetry }): GetWithRetry {
  const { clock, random, telemetry } = deps;
  return {
    text: (endpoint, request) => get(endpoint, request, readText),
    stream: (endpoint, request) =>
      get(endpoint, request, (response) => streamOf(response, endpoint, { clock, signal: request.signal })),
  };

  async function get<T>(endpoint: Endpoint, request: GetRequest, read: Read<T>): Promise<T | undefined> {
    const { signal } = request;
    for (let requests = 1; ; requests += 1) {
      if (signal.aborted) throw aborted(endpoint);
      const result = await sendInTime(endpoint, request, read);
      if (result.kind === 'retry' && requests < MAX_REQUESTS && (result.waitMs ?? 0) <= MAX_WAIT_MS) {
        telemetry.count('readsTriedAgain');
        await sleep(clock, waitAfter(requests, result), signal);
        continue;
      }
      telemetry.record('reads', 1, { service: endpoint.kind, outcome: OUTCOMES[result.kind] });
      if (result.kind === 'found') return result.value;
      if (result.kind === 'gone') return undefined;
      throw result.error;
    }
  }

  /** Ends with the request, after 10 s, or when `signal` aborts, whichever comes first. */
  function sendInTime<T>(endpoint: Endpoint, request: GetRequest, read: Read<T>): Promise<ReadResult<T>> {
    const timedOut = () => readError(endpoint.kind, 'timeout', `has not answered within ${REQUEST_MS} ms.`);
    return endEarly<ReadResult<T>>(
      (signal) => sendOnce(endpoint, { ...request, signal }, read),
      [
        onAbort(request.signal, () => Promise.reject(aborted(endpoint))),
        (end) => clock.after(REQUEST_MS, () => end({ kind: 'retry', waitMs: undefined, error: timedOut() })),
      ],
    );
  }

  async function sendOnce<T>(endpoint: Endpoint, request: GetRequest, read: Read<T>): Promise<ReadResult<T>> {
    try {
      const response = await endpoint.send(pipelineRequest(endpoint, request));
      const classified = classifyResponse(response, endpoint, clock.now());
      if (classified.kind === 'found') return { kind: 'found', value: await read(response, endpoint) };
      await drain(response);
      return classified;
    } catch (error) {
      return classifyThrown(error, endpoint);
    }
  }

  /** Never shorter than the service asks for. Random, so that callers refused together do not return together. */
  function waitAfter(requests: number, { waitMs }: Retry): number {
    return Math.round((waitMs ?? FIRST_WAIT_MS * 2 ** (requests - 1)) * (1 + 0.2 * random.number()));
  }
}

function pipelineRequest(endpoint: Endpoint, { path, accept, signal }: GetRequest) {
  const url = `${endpoint.url}${path}`;
  return createPipelineRequest({
    url,
    method: 'GET',
    // Not compressed: a broken answer must end with an error, and a size must be known before it is in memory.
    headers: createHttpHeaders({ accept, 'accept-encoding': 'identity' }),
    allowInsecureConnection: url.startsWith('http:'),
    streamResponseStatusCodes: new Set([Number.POSITIVE_INFINITY]),
    abortSignal: signal,
  });
}

function aborted({ kind }: Endpoint): Error {
  return readError(kind, 'aborted', 'was not read: the caller aborted.');
}
