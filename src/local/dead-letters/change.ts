import { userInfo } from 'node:os';
import type { Writable } from 'node:stream';
import { systemClock as clock } from '../../clock.js';
import type { Desk } from '../../dead-letters/letter.js';
import { type Filter, lettersOf, thereAt } from '../../dead-letters/list.js';
import { type Counts, discardMany, type Ids, type Pace, type Report, redriveMany } from '../../dead-letters/many.js';
import type { Open } from './connect.js';
import { filterOf, isEmpty, numberOf, OptionError, readJsonFile, shareOf, textOf, type Values } from './options.js';
import { createProgress, lineOfCounts, writeTo } from './output.js';

type Asked = { readonly values: Values; readonly ids: readonly string[]; readonly signal: AbortSignal };

const MOST_A_SECOND = 10_000;
const MOST_AT_ONCE = 5000;
/** With these, something was not done that was asked for. */
const NOT_DONE = [
  'failed',
  'too-often',
  'too-large',
  'unreadable',
  'not-an-event',
  'another-event',
  'not-editable',
  'dead',
  'failing',
  'invalid-again',
  'open',
] satisfies (keyof Counts)[];

export async function redrive({ values, ids, signal }: Asked, open: Open, out: Writable): Promise<number> {
  const file = textOf(values, 'edit');
  if (file !== undefined && ids.length !== 1) throw new OptionError('--edit is for one letter: name its id.');
  const stopAfter = shareOf(values, 'stop-after');
  const isWaiting = values.wait === true || stopAfter !== undefined;
  const options = {
    by: whoRuns(),
    isForced: values.force === true,
    isDryRun: values['dry-run'] === true,
    ...(file !== undefined && { event: readJsonFile(file) }),
    ...(isWaiting && { wait: stopAfter === undefined ? {} : { stopAfter } }),
  };
  const pace = { ...paceOf(values, { atOnce: isWaiting ? 200 : 16, perSecond: 100 }), signal };
  return change({ values, ids }, open, out, (letters, desk, onCount) =>
    redriveMany(letters, options, { ...pace, onCount }, desk),
  );
}

export async function discard({ values, ids, signal }: Asked, open: Open, out: Writable): Promise<number> {
  const why = textOf(values, 'why');
  if (why === undefined) throw new OptionError('--why is missing: say why nobody needs them any more.');
  const note = { by: whoRuns(), why, isDryRun: values['dry-run'] === true };
  const pace = { ...paceOf(values, { atOnce: 16, perSecond: 200 }), signal };
  return change({ values, ids }, open, out, (letters, desk, onCount) =>
    discardMany(letters, note, { ...pace, onCount }, desk),
  );
}

async function change(
  { values, ids }: Pick<Asked, 'values' | 'ids'>,
  open: Open,
  out: Writable,
  run: (letters: Ids, desk: Desk, onCount: (counts: Counts) => void) => Promise<Report>,
): Promise<number> {
  const filter = chosenBy(values, ids);
  const desk = await open();
  const there = ids.length > 0 ? filter : thereAt(await desk.storageNow(), filter);
  const letters = ids.length > 0 ? ids.map((id) => ({ id })) : lettersOf(desk, there);
  const all = ids.length > 0 ? ids.length : process.stderr.isTTY ? await count(desk, there) : undefined;
  const progress = createProgress(process.stderr, all, clock.monotonic);
  const report = await run(letters, desk, (counts) => progress.show(counts)).finally(() => progress.end());
  const text = `${values['dry-run'] ? 'Would be: ' : ''}${lineOfCounts(report.counts)}${endOf(report)}\n`;
  await writeTo(out, values.json ? `${JSON.stringify({ dryRun: values['dry-run'] === true, ...report })}\n` : text);
  if (report.stopped === 'asked-to') return 130;
  const isMissing = ids.length > 0 && (report.counts.gone ?? 0) > 0;
  return report.stopped || isMissing || NOT_DONE.some((what) => (report.counts[what] ?? 0) > 0) ? 1 : 0;
}

function chosenBy(values: Values, ids: readonly string[]): Filter {
  const filter = filterOf(values);
  const ways = [ids.length > 0, values.all === true, !isEmpty(filter)].filter(Boolean).length;
  if (ways !== 1 && !(values.all && ids.length === 0))
    throw new OptionError('Name ids, or say which letters, or --all.');
  return filter;
}

async function count(desk: Desk, filter: Filter): Promise<number> {
  let letters = 0;
  for await (const _ of lettersOf(desk, filter)) letters += 1;
  return letters;
}

function paceOf(values: Values, otherwise: { atOnce: number; perSecond: number }): Pick<Pace, 'atOnce' | 'perSecond'> {
  return {
    atOnce: Math.round(numberOf(values, 'at-once', { from: 1, to: MOST_AT_ONCE }) ?? otherwise.atOnce),
    perSecond: numberOf(values, 'rate', { from: 0.01, to: MOST_A_SECOND }) ?? otherwise.perSecond,
  };
}

function endOf({ stopped, errorCode }: Report): string {
  const why = errorCode === undefined ? '' : `; storage: ${errorCode}`;
  switch (stopped) {
    case undefined:
      return why;
    case 'failures':
      return `${why}; ended early: too many have failed`;
    case 'storage':
      return `${why}; ended early: storage keeps failing`;
    case 'asked-to':
      return `${why}; ended by Ctrl-C: what was asked for goes on`;
    default:
      throw new TypeError(`unhandled ${JSON.stringify(stopped satisfies never)}`);
  }
}

function whoRuns(): string {
  try {
    return `command line, ${userInfo().username}`;
  } catch {
    return 'command line'; // a container may know no user
  }
}
