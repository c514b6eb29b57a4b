import type { Model, Step } from './explore.js';

/**
 * The orderly end of a process, with storage that answers: jobs arrive before and after appTerminate, wait for a slot,
 * run handlers that end when they like, heed their signal or do not. 5 s after appTerminate the host kills the process.
 * The process must leave nothing that needs a lease to lapse: no record running, no POST unanswered, nothing to be run
 * again that had ended well.
 * E1 to E5 are the numbers in src/pipeline/end.ts.
 */
export const endRules = {
  noNewClaims: 'E1: no job is claimed after the end has begun',
  leaveLine: 'E1: a job that waits for a slot gets a row',
  abort: 'E2: handlers are aborted when their time is over',
  grace: 'E2: the pipeline waits no longer for a handler that ignores its signal',
  backToWaiting: 'E3: a job whose handler was aborted goes back to waiting',
  inTime: 'E4: all of it happens before the host kills the process',
  okCounts: 'a job whose handler ended well after the end had begun is completed',
} as const;
export type EndRule = keyof typeof endRules;

const PHASES = ['serving', 'ending', 'aborting', 'letting go', 'killed'] as const;
/** As where handlers get 15 s: the host kills the process while they run. */
const TOO_LATE = ['serving', 'ending', 'killed'] as const;
const JOBS = 2;

type Job = {
  at: 'to come' | 'line' | 'handler' | 'told to end' | 'ended well' | 'ended early' | 'over';
  record: 'none' | 'running' | 'waiting' | 'completed';
  isSafe: boolean;
  hasEndedWell: boolean;
};
export type EndWorld = { phase: number; jobs: readonly Job[] };

const TO_COME: Job = { at: 'to come', record: 'none', isSafe: false, hasEndedWell: false };

export function endModel(broken?: EndRule): Model<EndWorld> {
  const phases: readonly (typeof PHASES)[number][] = broken === 'inTime' ? TOO_LATE : PHASES;
  return {
    start: { phase: 0, jobs: Array.from({ length: JOBS }, () => TO_COME) },

    *next({ phase, jobs }) {
      if (phases[phase] === 'killed') return;
      let isAnyPrompt = false;
      for (const [i, job] of jobs.entries()) {
        const { prompt, other } = stepsOf(job, phase);
        isAnyPrompt ||= prompt.length > 0;
        for (const [text, to] of [...prompt, ...other]) yield [`${i}: ${text}`, { phase, jobs: jobs.with(i, to) }];
      }
      // A step that takes a moment is done before the next seconds are over.
      if (!isAnyPrompt || phases[phase] === 'serving') yield [phases[phase + 1] ?? '', { phase: phase + 1, jobs }];
    },

    wrong: () => undefined,

    wrongAtRest({ jobs }) {
      for (const { at, record, isSafe, hasEndedWell } of jobs) {
        if (record === 'running') return 'a record is left running: a crash will be counted';
        if (at !== 'to come' && !isSafe) return 'a POST is not answered';
        if (hasEndedWell && record !== 'completed') return 'what has ended well will run again';
      }
      return undefined;
    },
  };

  /** `prompt`: what takes a call to storage at the most; `other`: what may or may not happen. */
  function stepsOf(job: Job, phase: number): { prompt: Step<Job>[]; other: Step<Job>[] } {
    const isEnding = phase > 0;
    switch (job.at) {
      case 'to come':
        return { prompt: [], other: [['arrives', { ...job, at: 'line' }]] };
      case 'line':
        return {
          prompt: isEnding && broken !== 'leaveLine' ? [['gets a row', { ...job, at: 'over', isSafe: true }]] : [],
          other:
            isEnding && broken !== 'noNewClaims' ? [] : [['is claimed', { ...job, at: 'handler', record: 'running' }]],
        };
      case 'handler':
        return {
          prompt:
            phases[phase] === 'aborting' && broken !== 'abort' ? [['is told', { ...job, at: 'told to end' }]] : [],
          other: [['ends well', { ...job, at: 'ended well', hasEndedWell: true }]],
        };
      case 'told to end':
        return {
          prompt:
            phases[phase] === 'letting go' && broken !== 'grace' ? [['is let go', { ...job, at: 'ended early' }]] : [],
          other: [
            ['heeds', { ...job, at: 'ended early' }],
            ['ends well', { ...job, at: 'ended well', hasEndedWell: true }],
          ],
        };
      case 'ended well':
        return broken === 'okCounts' && isEnding
          ? { prompt: [['waits', { ...job, at: 'over', record: 'waiting', isSafe: true }]], other: [] }
          : { prompt: [['is completed', { ...job, at: 'over', record: 'completed', isSafe: true }]], other: [] };
      case 'ended early':
        return broken === 'backToWaiting'
          ? { prompt: [['is forgotten', { ...job, at: 'over', isSafe: true }]], other: [] }
          : { prompt: [['waits', { ...job, at: 'over', record: 'waiting', isSafe: true }]], other: [] };
      case 'over':
        return { prompt: [], other: [] };
      default:
        throw new TypeError(`unhandled ${job.at satisfies never}`);
    }
  }
}
