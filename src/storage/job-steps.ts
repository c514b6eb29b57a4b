import type { Failing, JobRecord } from './job-record.js';

/**
 * A step in the story of a job.
 * `redriven`: claimed by a redrive, which reopened the job. `wait`: a retry that does not count as a try.
 */
export type JobStep =
  | { readonly what: 'claimed' | 'taken-over' | 'redriven'; readonly at: Date }
  | { readonly what: 'retry' | 'wait'; readonly at: Date; readonly code: string; readonly until: Date }
  | ({ readonly what: 'dead'; readonly at: Date; readonly code: string } & Died);

/**
 * `stage` and `redrives` name the dead letter of the job. `stage` is undefined if the payload in the job's row was invalid:
 * then the dead letter is of the event.
 */
export type Died = { readonly stage: Failing | undefined; readonly redrives: number };

/** `leftOut`: the number of steps that are left out after the first four. `leftOutDead`: the last death among them. */
type JobSteps = { readonly steps: readonly JobStep[]; readonly leftOut: number; readonly leftOutDead?: Died };

/** The steps of a record. If it holds none, its first step follows from the other properties. */
type Recorded = Readonly<Pick<JobRecord, 'steps' | 'firstTryAt' | 'redrives'>>;

/** A job can wait thousands of times, and each write sends the text: so the text keeps the first and the last steps. */
const FIRST_STEPS = 4;
const LAST_STEPS = 16;
const STEP_LETTERS = { claimed: 'c', 'taken-over': 't', redriven: 'R', retry: 'r', wait: 'w', dead: 'd' } as const;
const WHATS = new Map(
  Object.entries(STEP_LETTERS).map(([what, letter]) => [letter as string, what as JobStep['what']]),
);
const STAGES = { f: 'failed', c: 'crash', u: 'unknown-workflow' } as const satisfies Record<string, Failing>;
const STEP =
  /^(?<letter>[ctRrwd])(?<offset>[0-9a-z]+)(?:\+(?<wait>[0-9a-z]+))?(?:\/(?<stage>[fcu]?)(?<redrives>\d+))?(?::(?<code>\S*))?$/;
const LEFT_OUT = /^~(?<count>\d+)(?:\/(?<stage>[fcu]?)(?<redrives>\d+))?$/;
const RADIX = 36;

/**
 * Returns the steps of a record with one more. The text has the form `<first time> <step> <step> …`, with times in
 * milliseconds to the base 36. A step is a letter, its time after the first one, and its details:
 *
 *   c0               claimed                     r5k+2bc:timeout      retry 2bc later, with a code
 *   t1x7             a lapsed lease taken over   w5k+2bc:circuit-open the same, not a try
 *   Rk9q             claimed by a redrive        d1x7/f0:gone         dead: stage `failed`, redrive 0, with a code
 *   ~12/f3           12 steps are left out here; the last dead letter of them has stage `failed` and redrive 3
 *
 * A record has no text before the first retry, takeover or redrive: until then, the first step follows from its other
 * properties, and a job that completes at once needs no text. The text holds the first time, because a redrive changes
 * `firstTryAt`. A version of the app that does not know the text leaves it as it is, and adds no steps.
 */
export function withStep(record: Recorded, step: JobStep): string {
  const [first = '', ...tokens] = (record.steps ?? textOfFirstStep(record, step.at)).split(' ');
  return [first, ...withoutMiddle([...tokens, textOfStep(step, Number.parseInt(first, RADIX))])].join(' ');
}

/** Returns the steps that a record holds. A text of a later version can hold steps that are unknown: they are left out. */
export function readSteps(text: string): JobSteps {
  const [first = '', ...tokens] = text.split(' ');
  const firstMs = Number.parseInt(first, RADIX);
  const mark = tokens.map((token) => LEFT_OUT.exec(token)?.groups).find((groups) => groups);
  return {
    steps: tokens.flatMap((token) => readStep(token, firstMs) ?? []),
    leftOut: Number(mark?.count ?? 0),
    ...(mark?.redrives !== undefined && { leftOutDead: readDied(mark.stage, mark.redrives) }),
  };
}

function textOfFirstStep({ firstTryAt, redrives }: Recorded, now: Date): string {
  const firstMs = Date.parse(firstTryAt);
  return `${(Number.isNaN(firstMs) ? now.getTime() : firstMs).toString(RADIX)} ${redrives > 0 ? 'R' : 'c'}0`;
}

/** Instances estimate storage's clock: a step is never before the first one. */
function textOfStep(step: JobStep, firstMs: number): string {
  const text = STEP_LETTERS[step.what] + Math.max(0, step.at.getTime() - firstMs).toString(RADIX);
  switch (step.what) {
    case 'retry':
    case 'wait': {
      const inMs = Math.max(0, step.until.getTime() - step.at.getTime());
      return `${text}+${inMs.toString(RADIX)}${textOfCode(step.code)}`;
    }
    case 'dead':
      return `${text}${textOfDied(step)}${textOfCode(step.code)}`;
    default:
      return text;
  }
}

/** P1: codes are words of closed lists, and hold no space. */
function textOfCode(code: string): string {
  return code === '' ? '' : `:${code}`;
}

function textOfDied({ stage, redrives }: Died): string {
  const letter = Object.entries(STAGES).find(([, each]) => each === stage)?.[0] ?? '';
  return `/${letter}${redrives}`;
}

/** Returns the first and the last steps. A token in place of the others has their number, and the last death among them. */
function withoutMiddle(tokens: readonly string[]): string[] {
  const first = tokens.slice(0, FIRST_STEPS);
  const before = LEFT_OUT.exec(tokens[FIRST_STEPS] ?? '')?.groups;
  const rest = tokens.slice(before ? FIRST_STEPS + 1 : FIRST_STEPS);
  const dropped = rest.splice(0, Math.max(0, rest.length - LAST_STEPS));
  const leftOut = Number(before?.count ?? 0) + dropped.length;
  if (leftOut === 0) return [...first, ...rest];
  const deaths = [before, ...dropped.map((token) => STEP.exec(token)?.groups)];
  const death = deaths.findLast((found) => found?.redrives !== undefined);
  return [...first, `~${leftOut}${death ? `/${death.stage}${death.redrives}` : ''}`, ...rest];
}

function readStep(token: string, firstMs: number): JobStep | undefined {
  const { letter = '', offset = '', wait = '0', stage, redrives = '', code = '' } = STEP.exec(token)?.groups ?? {};
  const what = WHATS.get(letter);
  const atMs = firstMs + Number.parseInt(offset, RADIX);
  if (what === undefined || Number.isNaN(new Date(atMs).getTime())) return undefined;
  const at = new Date(atMs);
  if (what === 'dead') return { what, at, code, ...readDied(stage, redrives) };
  if (what !== 'retry' && what !== 'wait') return { what, at };
  const until = new Date(atMs + Number.parseInt(wait, RADIX));
  return Number.isNaN(until.getTime()) ? undefined : { what, at, code, until };
}

function readDied(stage: string | undefined, redrives: string): Died {
  return { stage: STAGES[stage as keyof typeof STAGES], redrives: Number(redrives) };
}
