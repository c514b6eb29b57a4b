import { createHttpHeaders, createPipelineRequest, type PipelineResponse } from '@azure/core-rest-pipeline';
import { type Clock, type Random, sleep } from '../clock.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { drain, readText, type Streamed, streamOf } from './body.js';
import type { Endpoint } from './endpoint.js';
import { type Again, judge, judgeThrown, type NotFound } from './judge.js';
import { readError } from './read-error.js';

/** What to GET: the path and query after the service's URL, encoded. */
export type Question = { readonly path: string; readonly accept: string; readonly signal: AbortSignal };

/** Undefined is for what is gone. */
export type Ask = {
  text(endpoint: Endpoint, question: Question): Promise<string | undefined>;
  /** Resolves with the headers; the content comes as it is read. */
  stream(endpoint: Endpoint, question: Question): Promise<Streamed | undefined>;
};

const MAX_TRIES = 3;
/** A longer wait is the job's, in a row, not the handler's, in a place that another could have. */
const MAX_WAIT_MS = 5000;
/** Of one try: to the end of a text, to the headers of a stream. */
const TRY_MS = 10_000;
const FIRST_WAIT_MS = 500;

type Read<T> = (response: PipelineResponse, endpoint: Endpoint) => T | Promise<T>;
type Found<T> = { kind: 'found'; value: T };
type Tried<T> = Found<T> | NotFound;

// A read          |-- try, 10 s at most --|-- wait, 5 s at most --|-- try --|-- wait --|-- try --|
// ends with an answer; with RetryAfterError, where the service wants to be left alone for longer; with ReadError; or
// at once, when `signal` aborts.
export function createAsk({ clock, random, telemetry }: { clock: Clock; random: Random; telemetry: Telemetry }): Ask {
  return {
    text: (endpoint, question) => ask(endpoint, question, readText),
    stream: (endpoint, question) =>
      ask(endpoint, question, (response) => streamOf(response, endpoint, { clock, signal: question.signal })),
  };

  async function ask<T>(endpoint: Endpoint, question: Question, read: Read<T>): Promise<T | undefined> {
    const { kind } = endpoint;
    const { signal } = question;
    for (let tries = 1; ; tries += 1) {
      if (signal.aborted) throw aborted(endpoint);
      const tried = await within(signal, endpoint, (below) => tryOnce(endpoint, question, read, below));
      switch (tried.kind) {
        case 'found':
          telemetry.record('reads', 1, { service: kind, outcome: 'done' });
          return tried.value;
        case 'gone':
          telemetry.record('reads', 1, { service: kind, outcome: 'gone' });
          return undefined;
        case 'failed':
          telemetry.record('reads', 1, { service: kind, outcome: 'failed' });
          throw tried.error;
        case 'again':
          if (tries === MAX_TRIES || (tried.waitMs ?? 0) > MAX_WAIT_MS) {
            telemetry.record('reads', 1, { service: kind, outcome: 'failed' });
            throw tried.error;
          }
          telemetry.count('readsTriedAgain');
          await sleep(clock, waitAfter(tries, tried), signal);
          break;
        default:
          throw new TypeError(`unhandled ${JSON.stringify(tried satisfies never)}`);
      }
    }
  }

  async function tryOnce<T>(
    endpoint: Endpoint,
    { path, accept }: Question,
    read: Read<T>,
    abortSignal: AbortSignal,
  ): Promise<Tried<T>> {
    try {
      const url = `${endpoint.url}${path}`;
      const request = createPipelineRequest({
        url,
        method: 'GET',
        // Not compressed: a broken answer must end with an error, and a size must be known before it is in memory.
        headers: createHttpHeaders({ accept, 'accept-encoding': 'identity' }),
        allowInsecureConnection: url.startsWith('http:'),
        streamResponseStatusCodes: new Set([Number.POSITIVE_INFINITY]),
        abortSignal,
      });
      const response = await endpoint.send(request);
      const judged = judge(response, endpoint, clock.now());
      if (judged.kind === 'found') return { kind: 'found', value: await read(response, endpoint) };
      await drain(response);
      return judged;
    } catch (error) {
      return judgeThrown(error, endpoint);
    }
  }

  /** Ends with the try, after its time, or when `signal` aborts, whatever comes first; the try is told. */
  function within<T>(
    signal: AbortSignal,
    endpoint: Endpoint,
    run: (below: AbortSignal) => Promise<Tried<T>>,
  ): Promise<Tried<T>> {
    return new Promise((resolve, reject) => {
      const below = new AbortController();
      const end = () => {
        cancel();
        signal.removeEventListener('abort', onAbort);
      };
      const onAbort = () => {
        end();
        reject(aborted(endpoint));
        below.abort();
      };
      const cancel = clock.after(TRY_MS, () => {
        end();
        const error = readError(endpoint.kind, 'timeout', `has not answered within ${TRY_MS} ms.`);
        resolve({ kind: 'again', waitMs: undefined, error });
        below.abort();
      });
      signal.addEventListener('abort', onAbort);
      run(below.signal).then(resolve, reject).finally(end);
    });
  }

  /** Never sooner than asked for; spread, so that those who were refused together do not come back together. */
  function waitAfter(tries: number, { waitMs }: Again): number {
    return Math.round((waitMs ?? FIRST_WAIT_MS * 2 ** (tries - 1)) * (1 + 0.2 * random.number()));
  }
}

function aborted({ kind }: Endpoint): Error {
  return readError(kind, 'aborted', 'was not waited for any longer.');
}
