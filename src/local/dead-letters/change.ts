import { userInfo } from 'node:os';
import { systemClock as clock, sleep } from '../../clock.js';
import type { Filter } from '../../dead-letters/list.js';
import { NO_APP_MS } from '../../dead-letters/many.js';
import type { Counts, Ids, Pace, Report } from '../../dead-letters/pace.js';
import { sentencesOf, shortTextOf } from '../../dead-letters/report-text.js';
import { numberOf, OptionError, textOf, type Values } from '../options.js';
import { type Output, writeTo } from '../output.js';
import { barOf, createProgress } from '../progress.js';
import type { Open } from './connect.js';
import { readJsonFile } from './files.js';
import { filterOf, isEmpty, shareOf, type VerbArguments } from './options.js';
import type { Source } from './source.js';

const NO_APP =
  `No app has picked up a redrive for ${NO_APP_MS / 1000} s. Check that the app runs: GET /api/health/ready, with npm start ` +
  'http://localhost:7071/api/health/ready. This command still waits; Ctrl-C ends it, and the redrives stay in storage.';
const MAX_PER_SECOND = 10_000;
const MAX_AT_ONCE = 5000;
const SHOW_EVERY_MS = 1000;
/** Results that make the exit code 1: what was requested is not done. */
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

/** Requests a redrive of the dead letters that ids or filter name. Returns the exit code: 0, 1 or 130. */
export async function redrive({ values, ids, signal }: VerbArguments, open: Open, output: Output): Promise<number> {
  const file = textOf(values, 'edit');
  if (file !== undefined && ids.length !== 1)
    throw new OptionError(`--edit needs exactly one id, found ${ids.length} ids.`);
  const stopAfter = shareOf(values, 'stop-after');
  const isWaiting = values.wait === true || stopAfter !== undefined;
  const options = {
    by: nameOfCaller(),
    isForced: values.force === true,
    isDryRun: values['dry-run'] === true,
    ...(file !== undefined && { event: readJsonFile(file) }),
  };
  const pace = { ...paceOf(values, { atOnce: isWaiting ? 200 : 16, perSecond: 100 }), signal };
  return change({ values, ids }, { open, ...output }, (letters, source, { onCount, note }) => {
    const wait = { ...(stopAfter !== undefined && { stopAfter }), onNoApp: () => note(NO_APP) };
    return source.redrive(letters, { ...options, ...(isWaiting && { wait }) }, { ...pace, onCount });
  });
}

/** Moves dead letters to resolved/ with the note --why. Returns the exit code: 0, 1 or 130. */
export async function discard({ values, ids, signal }: VerbArguments, open: Open, output: Output): Promise<number> {
  const why = textOf(values, 'why');
  if (why === undefined)
    throw new OptionError('--why is missing: give the reason why the dead letters are not needed.');
  const note = { by: nameOfCaller(), why, isDryRun: values['dry-run'] === true };
  const pace = { ...paceOf(values, { atOnce: 16, perSecond: 200 }), signal };
  return change({ values, ids }, { open, ...output }, (letters, source, { onCount }) =>
    source.discard(letters, note, { ...pace, onCount }),
  );
}

/** Runs a verb on the dead letters that ids or filter name, with its progress, and writes the report. */
async function change(
  { values, ids }: Pick<VerbArguments, 'values' | 'ids'>,
  { open, out, err }: Output & { readonly open: Open },
  run: (letters: Ids, source: Source, progress: ShowProgress) => Promise<Report>,
): Promise<number> {
  const filter = checkedFilter(values, ids);
  const source = await open();
  const hasIds = ids.length > 0;
  const bounded = hasIds ? filter : await source.createdUntil(filter);
  const letters = hasIds ? ids.map((id) => ({ id })) : source.list(bounded);
  const all = hasIds ? ids.length : err.isTTY ? await count(source, bounded) : undefined;
  const report = await withProgress(err, all, (progress) => run(letters, source, progress));
  if (report.stopped === undefined && Object.keys(report.counts).length === 0) await source.refuseUnknownNames(filter);
  const isDryRun = values['dry-run'] === true;
  const sentences = sentencesOf(report, isDryRun);
  const json = { dryRun: isDryRun, ...report, message: sentences.join(' ') };
  await writeTo(out, values.json ? `${JSON.stringify(json)}\n` : `${sentences.join('\n')}\n`);
  if (report.stopped === 'asked-to') return 130;
  const isMissing = hasIds && (report.counts.gone ?? 0) > 0;
  return report.stopped || isMissing || NOT_DONE.some((what) => (report.counts[what] ?? 0) > 0) ? 1 : 0;
}

/** Returns the filter of the options. @throws OptionError unless there are either ids, or a filter or --all */
function checkedFilter(values: Values, ids: readonly string[]): Filter {
  const filter = filterOf(values);
  const hasIds = ids.length > 0;
  const hasFilter = values.all === true || !isEmpty(filter);
  if (hasIds && hasFilter) throw new OptionError('There are ids beside a filter or --all: give only one of these.');
  if (!hasIds && !hasFilter)
    throw new OptionError('No dead letter is named: give ids, a filter such as --stage, or --all.');
  return filter;
}

async function count(source: Source, filter: Filter): Promise<number> {
  let letters = 0;
  for await (const _ of source.list(filter)) letters += 1;
  return letters;
}

function paceOf(values: Values, fallback: { atOnce: number; perSecond: number }): Pick<Pace, 'atOnce' | 'perSecond'> {
  return {
    atOnce: Math.round(numberOf(values, 'at-once', { from: 1, to: MAX_AT_ONCE }) ?? fallback.atOnce),
    perSecond: numberOf(values, 'rate', { from: 0.01, to: MAX_PER_SECOND }) ?? fallback.perSecond,
  };
}

/** Returns the name under which dead letters record who has run the command. */
function nameOfCaller(): string {
  try {
    return `command line, ${userInfo().username}`;
  } catch {
    return 'command line'; // a container may have no user
  }
}

/** `onCount` shows the counts in place of the last ones. `note` prints a line that stays. */
type ShowProgress = { onCount(counts: Counts): void; note(text: string): void };

/** Runs `run` and shows its progress every second, also while nothing changes: a redrive may wait for minutes. */
async function withProgress<T>(
  err: Output['err'],
  all: number | undefined,
  run: (progress: ShowProgress) => Promise<T>,
): Promise<T> {
  const progress = createProgress<Counts>(err, { describe: (counts) => describeCounts(counts, all) });
  const over = new AbortController();
  let latest: Counts = {};
  void (async () => {
    while (!over.signal.aborted) {
      progress.show(latest);
      await sleep(clock, SHOW_EVERY_MS, over.signal);
    }
  })();
  const onCount = (counts: Counts) => {
    latest = counts;
    progress.show(counts);
  };
  try {
    return await run({ onCount, note: progress.note });
  } finally {
    over.abort();
    progress.end();
  }
}

function describeCounts(counts: Counts, all: number | undefined): string {
  const done = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const text = shortTextOf(counts);
  const share = all === undefined ? `${done} done` : `${barOf(done / Math.max(1, all))} ${done} of ${all}`;
  return text === '' ? share : `${share}: ${text}`;
}
