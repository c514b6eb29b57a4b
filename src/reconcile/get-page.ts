import { ReadError, readError } from '../clients/read-error.js';
import type { ServicePages } from '../clients/service-pages.js';
import { type Clock, sleep } from '../clock.js';
import { RetryAfterError } from '../errors.js';

/** Reads a page at a path and query after the service's URL, and waits as long as the service asks. */
export type GetPage = (path: string) => Promise<unknown>;

/** A service that refuses for longer has a problem other than load. */
const MAX_REFUSED_MS = 15 * 60_000;
/** Each pause follows three requests, which `src/clients` sends by itself. */
const PAUSES_MS = [1000, 5000, 15_000];
const PASSING = ['server-error', 'unreachable'];
const MIN_WAIT_MS = 100;

/** `onWait`: called before each wait that the service asks for. */
type Deps = { readonly clock: Clock; readonly signal: AbortSignal; readonly onWait?: (waitMs: number) => void };

/** Returns a reader of pages that outlasts short failures: a comparison may take hours. */
export function createGetPage(pages: ServicePages, { clock, signal, onWait }: Deps): GetPage {
  const { service } = pages;

  return async (path) => {
    let refusedMs = 0;
    let failures = 0;
    for (;;) {
      try {
        return await pages.get(path);
      } catch (error) {
        if (signal.aborted) throw error;
        if (error instanceof RetryAfterError) {
          const waitMs = Math.max(error.wait.ms, MIN_WAIT_MS);
          refusedMs += waitMs;
          if (refusedMs > MAX_REFUSED_MS) throw refusedForLong(error);
          onWait?.(waitMs);
          await sleep(clock, waitMs, signal);
          continue;
        }
        const pauseMs = isPassing(error) ? PAUSES_MS[failures] : undefined;
        if (pauseMs === undefined) throw error;
        failures += 1;
        await sleep(clock, pauseMs, signal);
      }
    }
  };

  function isPassing(error: unknown): boolean {
    return error instanceof ReadError && PASSING.some((code) => error.code === `${service}-${code}`);
  }

  function refusedForLong({ code }: RetryAfterError): ReadError {
    const what = `has asked for a later try for ${MAX_REFUSED_MS / 60_000} minutes.`;
    return readError(service, code === `${service}-throttled` ? 'throttled' : 'unavailable', what);
  }
}

/** A page with fewer entries may succeed. */
const TOO_MUCH = ['too-large', 'timeout', 'http-400', 'http-413'];

/**
 * Returns the number of entries to ask for after a failure; undefined if fewer entries do not help. A page may be too
 * large for the memory or the time of a read, and a service may refuse a number that is over its limit.
 */
export function fewerEntries(error: unknown, asked: number): number | undefined {
  const code = String((error as { code?: unknown } | null)?.code ?? '').replace(/^(fhir|dicom)-/, '');
  return asked > 1 && TOO_MUCH.includes(code) ? Math.ceil(asked / 4) : undefined;
}
