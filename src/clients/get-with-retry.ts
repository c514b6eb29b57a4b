import type { PipelineResponse } from '@azure/core-rest-pipeline';
import { type Clock, endEarly, onAbort, type Random, sleep } from '../clock.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { drain, readText, type Streamed, streamOf } from './body.js';
import { classifyResponse, classifyThrown, type ReadResult, type Retry } from './classify-response.js';
import type { Endpoint } from './endpoint.js';
import { aborted, type GetRequest } from './get-request.js';
import type { ReadBatches } from './read-batches.js';
import { readError } from './read-error.js';
import { REQUEST_MS, requestTo } from './send.js';

const MAX_REQUESTS = 3;
/** Waits over 5 s reschedule the job (`RetryAfterError`), so that they do not hold a slot. */
const MAX_WAIT_MS = 5000;
const FIRST_WAIT_MS = 500;
const OUTCOMES = { found: 'done', gone: 'gone', retry: 'failed', failed: 'failed' } as const;

type Read<T> = (response: PipelineResponse, endpoint: Endpoint) => T | Promise<T>;
type Try<T> = () => Promise<ReadResult<T>>;
type Deps = {
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  /** Undefined: each read has its own request. */
  readonly batches: ReadBatches | undefined;
};

/**
 * Reads from a service, with up to 3 requests. A result is undefined if the service has no such resource (404, 410).
 *
 *   |-- request, max. 10 s --|-- wait, max. 5 s --|-- request --|-- wait --|-- request --|
 *
 * A read ends with an answer, with RetryAfterError if the service asks for a longer wait, with ReadError, or at once
 * when `signal` aborts.
 */
export class GetWithRetry {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  text(endpoint: Endpoint, request: GetRequest): Promise<string | undefined> {
    const { place } = request;
    const { batches } = this.#deps;
    const alone = () => this.#sendInTime(endpoint, request, readText);
    const isBatched = batches && place && endpoint.kind === 'fhir';
    return this.#get(endpoint, request, isBatched ? () => batches.read(endpoint, { ...request, place }, alone) : alone);
  }

  /** Resolves with the headers. The content arrives while the caller reads it. */
  stream(endpoint: Endpoint, request: GetRequest): Promise<Streamed | undefined> {
    const { signal } = request;
    const { clock } = this.#deps;
    const read: Read<Streamed> = (response) => streamOf(response, endpoint, { clock, signal });
    return this.#get(endpoint, request, () => this.#sendInTime(endpoint, request, read));
  }

  async #get<T>(endpoint: Endpoint, { signal }: GetRequest, tryOnce: Try<T>): Promise<T | undefined> {
    const { clock, telemetry } = this.#deps;
    for (let requests = 1; ; requests += 1) {
      if (signal.aborted) throw aborted(endpoint);
      const result = await tryOnce();
      if (result.kind === 'retry' && requests < MAX_REQUESTS && (result.waitMs ?? 0) <= MAX_WAIT_MS) {
        telemetry.count('readsTriedAgain');
        await sleep(clock, this.#waitAfter(requests, result), signal);
        continue;
      }
      telemetry.record('reads', 1, { service: endpoint.kind, outcome: OUTCOMES[result.kind] });
      if (result.kind === 'found') return result.value;
      if (result.kind === 'gone') return undefined;
      throw result.error;
    }
  }

  /** Ends with the request, after 10 s, or when `signal` aborts, whichever comes first. */
  #sendInTime<T>(endpoint: Endpoint, request: GetRequest, read: Read<T>): Promise<ReadResult<T>> {
    const { clock } = this.#deps;
    const timedOut = () => readError(endpoint.kind, 'timeout', `has not answered within ${REQUEST_MS} ms.`);
    return endEarly<ReadResult<T>>(
      (signal) => this.#sendOnce(endpoint, { ...request, signal }, read),
      [
        onAbort(request.signal, () => Promise.reject(aborted(endpoint))),
        (end) => clock.after(REQUEST_MS, () => end({ kind: 'retry', waitMs: undefined, error: timedOut() })),
      ],
    );
  }

  async #sendOnce<T>(endpoint: Endpoint, request: GetRequest, read: Read<T>): Promise<ReadResult<T>> {
    try {
      const response = await endpoint.send(requestTo(endpoint, request));
      const classified = classifyResponse(response, endpoint, this.#deps.clock.now());
      if (classified.kind === 'found') return { kind: 'found', value: await read(response, endpoint) };
      await drain(response);
      return classified;
    } catch (error) {
      return classifyThrown(error, endpoint);
    }
  }

  /** Returns at least the wait that the service asks for, plus up to 20 %, so that refused callers do not return together. */
  #waitAfter(requests: number, { waitMs, jitter = this.#deps.random.number() }: Retry): number {
    return Math.round((waitMs ?? FIRST_WAIT_MS * 2 ** (requests - 1)) * (1 + 0.2 * jitter));
  }
}
