import type { JobStatus, Step } from '../api/events.js';
import { idOfName, nameOfJob } from '../dead-letters/store/names.js';
import type { Address } from '../storage/address.js';
import { type Died, type JobStep, readSteps } from '../storage/job-steps.js';
import type { FoundRecord } from '../storage/ledger.js';
import { dueAtOf } from '../storage/waiting.js';

/**
 * Returns the story of a job: the steps that its record holds, and those that follow from the record's other properties. A
 * record has no steps before the first retry, takeover or redrive. In records of old releases, steps are missing.
 */
export function storyOf(found: FoundRecord): Pick<JobStatus, 'steps' | 'stepsLeftOut' | 'deadLetter'> {
  const { address, record } = found;
  const { steps, leftOut, leftOutDead } = record.steps === undefined ? begunBy(found) : readSteps(record.steps);
  const last = lastStepOf(found, steps.at(-1)?.at);
  const all = last ? [...steps, last] : steps;
  const died = all.findLast((step) => step.what === 'dead') ?? leftOutDead;
  return {
    steps: all.map((step) => describeStep(step, address)),
    ...(leftOut > 0 && { stepsLeftOut: leftOut }),
    ...deadLetterOf(died, address),
  };
}

function begunBy({ record, writtenAt }: FoundRecord): ReturnType<typeof readSteps> {
  const { firstTryAt, redrives } = record;
  const at = new Date(Number.isNaN(Date.parse(firstTryAt)) ? writtenAt : firstTryAt);
  return { steps: [{ what: redrives > 0 ? 'redriven' : 'claimed', at }], leftOut: 0 };
}

type Settled = { readonly what: 'completed' | 'superseded'; readonly at: Date };

/** Returns the step that the last write of the record shows. Its time is never before the step before it. */
function lastStepOf({ record, writtenAt }: FoundRecord, after?: Date): JobStep | Settled | undefined {
  const { state, errorCode: code, redrives, tries } = record;
  const at = after && after > writtenAt ? after : writtenAt;
  if (state.kind === 'settled') {
    return state.result === 'dead'
      ? { what: 'dead', at, code, stage: state.stage, redrives }
      : { what: state.result, at };
  }
  const until = state.kind === 'waiting' && record.steps === undefined ? dueAtOf(state.due) : undefined;
  return until && { what: tries > 0 ? 'retry' : 'wait', at, code, until };
}

function describeStep(step: JobStep | Settled, address: Address): Step {
  const at = step.at.toISOString();
  switch (step.what) {
    case 'retry':
    case 'wait': {
      const { what, code, until } = step;
      return { at, what, ...codeOf(code), ...(!Number.isNaN(until.getTime()) && { until: until.toISOString() }) };
    }
    case 'dead':
      return { at, what: 'dead-lettered', ...codeOf(step.code), ...deadLetterOf(step, address) };
    default:
      return { at, what: step.what };
  }
}

function codeOf(code: string): { code?: string } {
  return code === '' ? {} : { code };
}

/** R7: the id follows from job and redrives. */
function deadLetterOf(died: Died | undefined, address: Address): { deadLetter?: string } {
  return died?.stage ? { deadLetter: idOfName(nameOfJob(died.stage, address, died.redrives)) } : {};
}
