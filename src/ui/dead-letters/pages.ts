import { useEffect, useRef, useState } from 'preact/hooks';
import type { Polled } from '../shell/poll.js';
import { request } from '../shell/request.js';

/** An answer. `next` is where the next request continues, null at the end. */
type Page = { readonly next: string | null };

/** All answers so far. `isAsking`: more requests follow. */
export type Pages<T> = Polled<T> & { readonly isAsking: boolean };

type PagesOptions<T> = {
  /** Returns the path of the request that follows the answers so far. */
  readonly pathAfter: (before: T | undefined) => string;
  readonly add: (before: T, answer: T) => T;
  readonly isEnough: (value: T) => boolean;
  /** An earlier count. If present, the page shows the count and sends no request. */
  readonly known?: { readonly value: T; readonly at: Date } | undefined;
  readonly onEnd?: (value: T) => void;
};

/**
 * Sends one request after another until there is enough, and shows the answers so far. Each request reads only a part
 * of many dead letters, so no request takes long. After a failure, `refresh` continues where the requests stopped.
 */
export function usePages<T extends Page>(options: PagesOptions<T>): Pages<T> {
  const { pathAfter, known } = options;
  const [state, setState] = useState<Omit<Pages<T>, 'refresh'>>(known ? { ...known, ...ENDED } : ASKING);
  const [round, setRound] = useState(0);
  const first = pathAfter(undefined);
  const soFar = useRef<{ first: string; all?: T }>({ first });
  useEffect(() => {
    if (known) return;
    const ended = new AbortController();
    if (soFar.current.first !== first) soFar.current = { first };
    const { all: from } = soFar.current;
    setState((was) => (from ? { ...was, failure: undefined, isAsking: true } : ASKING));
    void collect(options, from, (shown) => {
      if (ended.signal.aborted) return false;
      if ('failure' in shown) setState((was) => ({ ...was, failure: shown.failure, isAsking: false }));
      else {
        soFar.current.all = shown.all;
        setState({ value: shown.all, at: new Date(), failure: undefined, isAsking: !options.isEnough(shown.all) });
      }
      return true;
    });
    return () => ended.abort();
  }, [first, round]);
  return { ...state, refresh: () => setRound(round + 1) };
}

const ENDED = { failure: undefined, isAsking: false };
const ASKING = { value: undefined, at: undefined, failure: undefined, isAsking: true };

type Shown<T> = { readonly all: T } | { readonly failure: NonNullable<Polled<T>['failure']> };

/** Collects answers until `show` returns false, because the page is no longer shown. */
async function collect<T extends Page>(
  { pathAfter, add, isEnough, onEnd }: PagesOptions<T>,
  from: T | undefined,
  show: (shown: Shown<T>) => boolean,
): Promise<void> {
  for (let all = from; ; ) {
    const result = await inTurn(() => request<T>('GET', pathAfter(all)));
    if (!result.ok) {
      show({ failure: result.failure });
      return;
    }
    all = all ? add(all, result.value) : result.value;
    if (!show({ all })) return;
    if (isEnough(all)) return onEnd?.(all);
  }
}

let turn: Promise<unknown> = Promise.resolve();

/** Runs one request of this tab at a time: each request keeps storage busy, and jobs wait for storage. */
function inTurn<R>(ask: () => Promise<R>): Promise<R> {
  const asked = turn.then(ask);
  turn = asked; // `request` never throws
  return asked;
}
