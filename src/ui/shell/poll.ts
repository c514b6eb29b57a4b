import { useEffect, useRef, useState } from 'preact/hooks';
import { type Failure, type Result, request } from './request.js';
import { key } from './session-state.js';

const HIDDEN_EVERY_MS = 60_000;
const MAX_EVERY_MS = 60_000;

/** The last answer and its time. Both stay after a failure, so that a person sees old data rather than none. */
export type Polled<T> = {
  readonly value: T | undefined;
  readonly at: Date | undefined;
  readonly failure: Failure | undefined;
  /** Sends the request now. */
  readonly refresh: () => void;
};

/**
 * Requests `path` again and again: less often while the tab is hidden, and after each failure in a row. Without a path,
 * sends no request.
 */
export function usePoll<T>(path: string | undefined, everyMs: number): Polled<T> {
  const [state, setState] = useState<Omit<Polled<T>, 'refresh'>>(NOTHING);
  const refresh = useRef(() => {});
  useEffect(() => {
    setState(NOTHING);
    if (path === undefined) return;
    const ended = new AbortController();
    const poller = createPoller<T>(
      () => request<T>('GET', path),
      everyMs,
      (result) => {
        if (ended.signal.aborted) return;
        if (result.ok) setState({ value: result.value, at: new Date(), failure: undefined });
        else setState((before) => ({ ...before, failure: result.failure }));
      },
    );
    refresh.current = poller.now;
    document.addEventListener('visibilitychange', poller.now, { signal: ended.signal });
    const unsubscribe = key.subscribe(poller.now);
    return () => {
      ended.abort();
      unsubscribe();
      poller.stop();
    };
  }, [path, everyMs]);
  return { ...state, refresh: () => refresh.current() };
}

const NOTHING = { value: undefined, at: undefined, failure: undefined };

function createPoller<T>(ask: () => Promise<Result<T>>, everyMs: number, onResult: (result: Result<T>) => void) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let latest = 0;
  let isStopped = false;
  async function now(): Promise<void> {
    clearTimeout(timer);
    latest += 1;
    const mine = latest;
    const result = await ask();
    if (isStopped || mine !== latest) return; // a later request shows newer data
    failures = result.ok ? 0 : failures + 1;
    onResult(result);
    const pause = document.hidden ? HIDDEN_EVERY_MS : everyMs * 2 ** failures;
    if (Number.isFinite(everyMs)) timer = setTimeout(now, Math.min(pause, Math.max(everyMs, MAX_EVERY_MS)));
  }
  return {
    now: () => void now(),
    stop(): void {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
