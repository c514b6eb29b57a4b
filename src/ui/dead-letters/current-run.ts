import { signal } from '@preact/signals';
import { announce } from '../shell/announce.js';
import { askOutcomes, listPage, redrive } from './api.js';
import type { Filter } from './filter.js';
import { filterText } from './filter.js';
import { type Progress, redriveInStages } from './staged-redrive.js';

type Run = Progress & { readonly of: string; readonly stop: () => void };

/** The staged redrive of this tab, if there was one. It goes on while a person looks at other places of the page. */
export const currentRun = signal<Run>();

/** Starts a staged redrive of up to `total` dead letters. `onEnd` is called when it has ended. */
export async function startRun(
  { filter, total, force }: { filter: Filter; total: number; force: boolean },
  onEnd: () => void,
): Promise<void> {
  const stopping = new AbortController();
  const of = filterText(filter);
  const show = (progress: Progress) => {
    currentRun.value = { ...progress, of, stop: () => stopping.abort() };
  };
  addEventListener('beforeunload', warn);
  try {
    const ended = await redriveInStages(
      { total, signal: stopping.signal, onProgress: show },
      {
        list: (page) => listPage(filter, page),
        redrive: (ids) => redrive(ids, { force }),
        outcomes: askOutcomes,
        sleep,
        monotonic: () => performance.now(),
      },
    );
    announce(`Redrive ${ended.phase}: ${ended.note}`);
  } finally {
    removeEventListener('beforeunload', warn);
    onEnd();
  }
}

/** The browser asks before the tab is closed. */
function warn(event: BeforeUnloadEvent): void {
  event.preventDefault();
}

function sleep(ms: number, stopping: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    stopping.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
