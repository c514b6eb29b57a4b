import type { Model, Step } from './explore.js';

/**
 * Models the orderly end of a process, with storage that answers. Jobs arrive before and after appTerminate, and wait for
 * a slot. Their handlers end at any time, and may ignore their signal. 5 s after appTerminate the host kills the process.
 * No job may then wait for its lease to lapse: no record is running, each POST is answered, and no job whose handler
 * ended well runs again. src/pipeline/end.ts explains E1 to E5.
 */
export const endRules = {
  noNewClaims: 'E1: no job is claimed after the end has begun',
  leaveLine: 'E1: a job that waits for a slot gets a row',
  abort: 'E2: handlers are aborted when their time is over',
  grace: 'E2: the pipeline waits no longer for a handler that ignores its signal',
  backToWaiting: 'E3: a job whose handler was aborted goes back to waiting',
  inTime: 'E4: the end is over before the host kills the process',
  okCounts: 'E6: a job whose handler ended well after the end had begun is completed',
} as const;
export type EndRule = keyof typeof endRules;

const PHASES = ['serving', 'ending', 'aborting', 'giving up', 'killed'] as const;
/** Without E4, handlers get 15 s, and the host kills the process while they run. */
const TOO_LATE = ['serving', 'ending', 'killed'] as const;
const JOBS = 2;

type Job = {
  at: 'to come' | 'queue' | 'handler' | 'aborted' | 'ended well' | 'ended early' | 'over';
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

    *nextSteps({ phase, jobs }) {
      if (phases[phase] === 'killed') return;
      let isAnyPrompt = false;
      for (const [i, job] of jobs.entries()) {
        const { prompt, other } = stepsOf(job, phase);
        isAnyPrompt ||= prompt.length > 0;
        for (const [text, to] of [...prompt, ...other]) yield [`${i}: ${text}`, { phase, jobs: jobs.with(i, to) }];
      }
      // Prompt steps are done before the next phase begins.
      if (!isAnyPrompt || phases[phase] === 'serving') yield [phases[phase + 1] ?? '', { phase: phase + 1, jobs }];
    },

    fault: () => undefined,

    faultAtRest({ jobs }) {
      for (const { at, record, isSafe, hasEndedWell } of jobs) {
        if (record === 'running') return 'a record is left running: a crash will be counted';
        if (at !== 'to come' && !isSafe) return 'a POST is not answered';
        if (hasEndedWell && record !== 'completed') return 'a job whose handler ended well will run again';
      }
      return undefined;
    },
  };

  /** Returns the next steps of a job. `prompt` steps take at most one call to storage; `other` steps may never happen. */
  function stepsOf(job: Job, phase: number): { prompt: Step<Job>[]; other: Step<Job>[] } {
    const isEnding = phase > 0;
    switch (job.at) {
      case 'to come':
        return { prompt: [], other: [['arrives', { ...job, at: 'queue' }]] };
      case 'queue':
        return {
          prompt: isEnding && broken !== 'leaveLine' ? [['gets a row', { ...job, at: 'over', isSafe: true }]] : [],
          other:
            isEnding && broken !== 'noNewClaims' ? [] : [['is claimed', { ...job, at: 'handler', record: 'running' }]],
        };
      case 'handler':
        return {
          prompt: phases[phase] === 'aborting' && broken !== 'abort' ? [['is aborted', { ...job, at: 'aborted' }]] : [],
          other: [['ends well', { ...job, at: 'ended well', hasEndedWell: true }]],
        };
      case 'aborted':
        return {
          prompt:
            phases[phase] === 'giving up' && broken !== 'grace' ? [['is given up', { ...job, at: 'ended early' }]] : [],
          other: [
            ['heeds its signal', { ...job, at: 'ended early' }],
            ['ends well', { ...job, at: 'ended well', hasEndedWell: true }],
          ],
        };
      case 'ended well':
        return broken === 'okCounts' && isEnding
          ? { prompt: [['waits', { ...job, at: 'over', record: 'waiting', isSafe: true }]], other: [] }
          : { prompt: [['is completed', { ...job, at: 'over', record: 'completed', isSafe: true }]], other: [] };
      case 'ended early':
        return broken === 'backToWaiting'
          ? { prompt: [['leaves its record', { ...job, at: 'over', isSafe: true }]], other: [] }
          : { prompt: [['waits', { ...job, at: 'over', record: 'waiting', isSafe: true }]], other: [] };
      case 'over':
        return { prompt: [], other: [] };
      default:
        throw new TypeError(`unhandled ${job.at satisfies never}`);
    }
  }
}
