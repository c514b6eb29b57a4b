import { type Clock, endEarly, onAbort, type Random } from '../clock.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { type BatchEntry, readBatchResponse } from './batch-response.js';
import { drain, readBytes } from './body.js';
import { classifyResponse, classifyThrown, type ReadResult } from './classify-response.js';
import type { Endpoint } from './endpoint.js';
import { aborted, type GetRequest, type ResourcePlace } from './get-request.js';
import { REQUEST_MS, requestTo } from './send.js';

/** Reads FHIR resources with one request for many. */
export type ReadBatches = {
  /**
   * Returns the result of one read, as its own request `alone` would. Calls `alone` if no other read waits, or a batch
   * gives no result for this read.
   * @throws ReadError as soon as the signal of the request aborts
   */
  read(endpoint: Endpoint, request: PlacedRequest, alone: Alone): Promise<ReadResult<string>>;
};

type PlacedRequest = GetRequest & { readonly place: ResourcePlace };
type Alone = () => Promise<ReadResult<string>>;

/**
 * The FHIR service of Azure Health Data Services takes 500 entries. A hundred already makes the cost of the request
 * small, and resources of 160 KiB still fit the memory for one answer.
 */
const MAX_ENTRIES = 100;
/** After an answer that was too large, batches keep this size: one large resource must not turn them off for others. */
const MIN_ENTRIES = 10;
/**
 * The maximum time for which a read waits for other reads, while an earlier request to its service is under way. Longer
 * waits make fewer requests (`npm run bench -- --only h` counts them).
 */
export const GATHER_MS = 10;
/** The time for which batches are smaller after an answer that was too large or too late, or off after a refusal. */
const LIMITED_MS = 600_000;
/** Statuses of services, proxies and gateways that accept no batch. 401 is not among them: it is about the token. */
const REFUSALS = new Set([400, 403, 404, 405, 415, 501]);

type Read = {
  readonly request: PlacedRequest;
  readonly alone: Alone;
  /** Ends the read with this result. Without effect if the read has ended. */
  readonly settle: (result: ReadResult<string> | Promise<ReadResult<string>>) => void;
  isOver: boolean;
  /** Called when the signal of the read aborts. The read is over by then. */
  onLeave: () => void;
};

type Deps = { readonly clock: Clock; readonly random: Random; readonly telemetry: Telemetry };

/** The answer to a batch. */
type Answer =
  | { kind: 'entries'; results: readonly ReadResult<string>[] }
  /** The result is the same for each read. */
  | { kind: 'same'; result: ReadResult<string> }
  /** There is no result for any read. */
  | { kind: 'none' | 'too-large' | 'too-late' }
  | { kind: 'refused'; code: string };

/** Returns the batches of all FHIR services. */
export function createReadBatches(deps: Deps): ReadBatches {
  const services = new Map<string, ServiceBatches>();
  return {
    read(endpoint, request, alone) {
      const service = services.get(endpoint.url) ?? new ServiceBatches(endpoint, deps);
      services.set(endpoint.url, service);
      return service.read(endpoint, request, alone);
    },
  };
}

/**
 * The batches of one service. If no request is under way, a batch has the reads of one turn of the event loop, so a lone
 * read does not wait. During a request, reads wait for each other: until its end, but at most GATHER_MS. Each batch has
 * 10 s.
 *
 *   answer                                  what follows
 *   429 or 503, of the batch or an entry    its reads wait equally long, and come again in one batch
 *   too large                               the batch is read in halves
 *   refused, cut off, late, not readable    each of its reads has its own request
 */
class ServiceBatches {
  readonly #deps: Deps;
  /** The endpoint of the last read. */
  #endpoint: Endpoint;
  #waiting: Read[] = [];
  /** The number of requests that are under way, those of single reads included. */
  #underWay = 0;
  #cancelWait = () => {};
  #maxEntries = MAX_ENTRIES;
  #limitedUntilMs = 0;
  #isRefusalLogged = false;

  constructor(endpoint: Endpoint, deps: Deps) {
    this.#endpoint = endpoint;
    this.#deps = deps;
  }

  read(endpoint: Endpoint, request: PlacedRequest, alone: Alone): Promise<ReadResult<string>> {
    this.#endpoint = endpoint;
    if (this.#deps.clock.monotonic() >= this.#limitedUntilMs) this.#maxEntries = MAX_ENTRIES;
    return new Promise((resolve, reject) => {
      const { signal } = request;
      const leave = () => {
        one.isOver = true;
        reject(aborted(endpoint));
        one.onLeave();
      };
      const settle: Read['settle'] = (result) => {
        if (one.isOver) return;
        one.isOver = true;
        signal.removeEventListener('abort', leave);
        resolve(result);
      };
      const one: Read = { request, alone, settle, isOver: false, onLeave: () => {} };
      signal.addEventListener('abort', leave, { once: true });
      this.#add(one);
    });
  }

  #add(one: Read): void {
    const { clock } = this.#deps;
    this.#waiting.push(one);
    if (this.#waiting.length >= this.#maxEntries) this.#sendWaiting();
    else if (this.#waiting.length > 1) return;
    else if (this.#underWay === 0) clock.endOfTurn(() => this.#sendWaiting());
    else this.#cancelWait = clock.after(GATHER_MS, () => this.#sendWaiting());
  }

  #sendWaiting(): void {
    this.#cancelWait();
    this.#cancelWait = () => {};
    const reads = this.#waiting.splice(0).filter(({ isOver }) => !isOver);
    const max = this.#maxEntries;
    for (let at = 0; at < reads.length; at += max) void this.#sendAll(reads.slice(at, at + max));
  }

  /** Never rejects: each read gets its own result. */
  async #sendAll(reads: readonly Read[]): Promise<void> {
    const [first] = reads;
    if (first === undefined) return;
    this.#underWay += 1;
    if (reads.length === 1) await sendAlone(first);
    else await this.#sendBatch(reads);
    this.#underWay -= 1;
    if (this.#underWay === 0) this.#sendWaiting();
  }

  async #sendBatch(reads: readonly Read[]): Promise<void> {
    const answer = await this.#postInTime(reads);
    const left = reads.filter(({ isOver }) => !isOver);
    switch (answer.kind) {
      case 'entries':
        this.#isRefusalLogged = false;
        for (const [n, one] of reads.entries()) one.settle(answer.results[n] as ReadResult<string>);
        return;
      case 'same':
        for (const one of left) one.settle(answer.result);
        return;
      case 'too-large': {
        const half = Math.ceil(left.length / 2);
        this.#limit(Math.max(MIN_ENTRIES, half));
        await Promise.all([this.#sendAll(left.slice(0, half)), this.#sendAll(left.slice(half))]);
        return;
      }
      case 'too-late':
        this.#limit(Math.floor(reads.length / 2));
        break;
      case 'refused':
        this.#limit(1);
        if (!this.#isRefusalLogged) {
          this.#deps.telemetry.log('warn', 'fhir-batches-refused', { errorCode: answer.code });
        }
        this.#isRefusalLogged = true;
        break;
      case 'none':
        break;
      default:
        throw new TypeError(`unhandled ${JSON.stringify(answer satisfies never)}`);
    }
    await Promise.all(left.map(sendAlone));
  }

  #limit(maxEntries: number): void {
    this.#maxEntries = Math.max(1, Math.min(this.#maxEntries, maxEntries));
    this.#limitedUntilMs = this.#deps.clock.monotonic() + LIMITED_MS;
  }

  /** Ends with the answer, after 10 s, or when all callers have aborted. */
  #postInTime(reads: readonly Read[]): Promise<Answer> {
    const { clock } = this.#deps;
    const endpoint = this.#endpoint;
    const allAborted = new AbortController();
    let callers = reads.length;
    for (const one of reads) {
      one.onLeave = () => {
        callers -= 1;
        if (callers === 0) allAborted.abort();
      };
    }
    return endEarly<Answer>(
      (signal) => this.#post(endpoint, reads, signal),
      [
        onAbort(allAborted.signal, () => ({ kind: 'none' })),
        (end) => clock.after(REQUEST_MS, () => end({ kind: 'too-late' })),
      ],
    );
  }

  async #post(endpoint: Endpoint, reads: readonly Read[], signal: AbortSignal): Promise<Answer> {
    const { clock, random } = this.#deps;
    const accept = reads[0]?.request.accept ?? '';
    try {
      const response = await endpoint.send(requestTo(endpoint, { path: '', accept, signal, body: batchOf(reads) }));
      if (response.status !== 200) {
        await drain(response);
        return this.#refusalOf(classifyResponse(response, endpoint, clock.now()), response.status);
      }
      const body = await readBytes(response, endpoint);
      if (!body) return { kind: 'too-large' };
      const places = reads.map(({ request }) => request.place);
      const entries = readBatchResponse(body, places);
      if (!entries) return { kind: 'refused', code: 'fhir-no-batch-response' };
      const jitter = random.number();
      const resultOf = ({ status, text }: BatchEntry): ReadResult<string> => {
        const result = classifyResponse({ status, headers: response.headers }, endpoint, clock.now());
        if (result.kind === 'found') return { kind: 'found', value: text as string };
        return result.kind === 'retry' ? { ...result, jitter } : result;
      };
      return { kind: 'entries', results: entries.map(resultOf) };
    } catch (error) {
      const result = classifyThrown(error, endpoint);
      // If the app gets no token for the batch, it gets none for single reads either.
      return result.kind === 'failed' ? { kind: 'same', result } : { kind: 'none' };
    }
  }

  /** Returns the meaning of an answer whose status is not 200. */
  #refusalOf(result: ReturnType<typeof classifyResponse>, status: number): Answer {
    if (result.kind === 'retry') return { kind: 'same', result: { ...result, jitter: this.#deps.random.number() } };
    if (status === 401 && result.kind === 'failed') return { kind: 'same', result };
    return REFUSALS.has(status) ? { kind: 'refused', code: `fhir-http-${status}` } : { kind: 'none' };
  }
}

async function sendAlone(one: Read): Promise<void> {
  const result = one.alone();
  one.settle(result);
  await result.catch(() => {});
}

function batchOf(reads: readonly Read[]): string {
  const entry = reads.map(({ request }) => ({ request: { method: 'GET', url: request.path.slice(1) } }));
  return JSON.stringify({ resourceType: 'Bundle', type: 'batch', entry });
}
