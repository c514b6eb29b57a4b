import { signal } from '@preact/signals';
import { announce } from '../shell/announce.js';
import { request } from '../shell/request.js';
import { askOutcomes, redrive } from './api.js';
import type { Part } from './counts.js';
import { type Filter, filterText, pathOf } from './filter.js';
import { type Progress, redriveInStages } from './staged-redrive.js';

/** `of`: the redriven dead letters in words. */
type Run = Progress & { readonly of: string; readonly stop: () => void };

/** The staged redrive of this tab, if there was one. The redrive continues while the person looks at other pages. */
export const currentRun = signal<Run>();

type Start = { filter: Filter; part: Part; total: number; isAll: boolean; force: boolean };

/** Starts a staged redrive of the counted dead letters, or of `total` of them. `onEnd` is called at its end. */
export async function startRun({ filter, part, total, isAll, force }: Start, onEnd: () => void): Promise<void> {
  const stopping = new AbortController();
  const of = filterText(filter);
  const show = (progress: Progress) => {
    currentRun.value = { ...progress, of, stop: () => stopping.abort() };
  };
  addEventListener('beforeunload', confirmClose);
  try {
    const ended = await redriveInStages(
      { total, isAll, signal: stopping.signal, onProgress: show },
      {
        list: ({ after = part.after, limit }) =>
          request('GET', pathOf('dead-letters', { ...filter, ...part, after, limit: String(limit) })),
        redrive: (ids) => redrive(ids, { force }),
        outcomes: askOutcomes,
        sleep,
        monotonic: () => performance.now(),
      },
    );
    announce(`Redrive ${ended.phase}: ${ended.note}`);
  } finally {
    removeEventListener('beforeunload', confirmClose);
    onEnd();
  }
}

/** Makes the browser ask the person before it closes the tab. */
function confirmClose(event: BeforeUnloadEvent): void {
  event.preventDefault();
}

/** Waits, but ends early when the person comes back to this tab, such as from the sign-in in another tab. */
function sleep(ms: number, stopping: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const ended = new AbortController();
    const end = () => {
      clearTimeout(timer);
      ended.abort();
      resolve();
    };
    const timer = setTimeout(end, ms);
    stopping.addEventListener('abort', end, { signal: ended.signal });
    document.addEventListener('visibilitychange', () => document.hidden || end(), { signal: ended.signal });
  });
}
