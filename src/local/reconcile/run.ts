import { systemClock as clock } from '../../clock.js';
import { ConfigError } from '../../config.js';
import { errorCodeOf, NonRetriableError } from '../../errors.js';
import { reconcileDeps, servicesOf } from '../../functions/reconcile-deps.js';
import { findRemoved, type RemovedProgress, type RemovedReport } from '../../reconcile/find-removed.js';
import { type PartProgress, type PartReport, reconcile } from '../../reconcile/reconcile.js';
import { removedSentencesOf, sentencesOf } from '../../reconcile/report-text.js';
import { StorageError } from '../../storage/table-store.js';
import { type Output, writeTo } from '../output.js';
import { barOf, createProgress } from '../progress.js';
import { checkTypes, chooseFhirServices, chooseServices, chooseWorkflow } from './choose.js';
import type { Connected } from './connect.js';
import { PACE } from './help.js';
import type { HistoryOptions, RemovedOptions } from './options.js';

/** The progress is drawn this often: drawing it for each change would slow the comparison down. */
const SHOW_EVERY_MS = 200;
/** A shorter wait needs no line of its own. */
const SHOWN_WAIT_MS = 5000;

type RunDeps = Omit<Connected, 'close'> & { readonly signal: AbortSignal };

/** One of the two comparisons. `P` is its progress. */
type Comparison<P> = {
  /** Returns the progress in words. */
  readonly describe: (progress: P) => string;
  readonly compare: (deps: ReturnType<typeof reconcileDeps> & ProgressCallbacks<P>) => Promise<Compared>;
};
type Compared = { readonly parts: readonly (PartReport | RemovedReport)[]; readonly sentences: readonly string[] };

/** Compares the history of services with the ledger, and writes the report. Returns the exit code: 0, 1, 3 or 130. */
export async function compareHistory(options: HistoryOptions, deps: RunDeps, output: Output): Promise<number> {
  const { app, off } = deps;
  const workflow = chooseWorkflow(options.workflow, { workflows: app.workflows, off });
  checkTypes(options.types, workflow ? [workflow] : app.workflows);
  const services = chooseServices(servicesOf(app.config), options.service);
  const comparison: Comparison<PartProgress> = {
    describe: describePart,
    async compare(compareDeps) {
      const report = await reconcile({ ...options, services, workflow }, compareDeps);
      return { parts: report.parts, sentences: sentencesOf(report) };
    },
  };
  return compareAndReport(comparison, options, { ...deps, ...output });
}

/** Finds resources that their service no longer has, and writes the report. Returns the exit code: 0, 1, 3 or 130. */
export async function findRemovedResources(options: RemovedOptions, deps: RunDeps, output: Output): Promise<number> {
  const { types, isDryRun } = options;
  checkTypes(types, deps.app.workflows);
  const hosts = chooseFhirServices(servicesOf(deps.app.config), options.service).map(({ host }) => host);
  const comparison: Comparison<RemovedProgress> = {
    describe: describeRemoved,
    async compare(compareDeps) {
      const parts = await findRemoved({ hosts, types, isDryRun }, compareDeps);
      return { parts, sentences: removedSentencesOf(parts, isDryRun) };
    },
  };
  return compareAndReport(comparison, options, { ...deps, ...output });
}

async function compareAndReport<P>(
  { describe, compare }: Comparison<P>,
  { isDryRun, isJson, perSecond }: RemovedOptions,
  { app, signal, out, err }: RunDeps & Output,
): Promise<number> {
  const progress = createProgress<P>(err, { describe });
  const deps = reconcileDeps(app, { ...PACE, perSecond, signal });
  const comparing = withConfigError(() => compare({ ...deps, ...callbacksFor(progress) }));
  const { parts, sentences } = await comparing.finally(progress.end);
  const json = { dryRun: isDryRun, parts: parts.map(jsonOf), message: sentences.join(' ') };
  await writeTo(out, isJson ? `${JSON.stringify(json)}\n` : `${sentences.join('\n')}\n`);
  return exitCodeOf(parts);
}

type ProgressCallbacks<P> = { onProgress(part: P): void; onWait(host: string, waitMs: number): void };

/** Returns the callbacks that show the progress of a comparison, and each longer wait. */
function callbacksFor<P>(progress: { show(part: P): void; note(text: string): void }): ProgressCallbacks<P> {
  let shownAtMs = Number.NEGATIVE_INFINITY;
  return {
    onProgress(part) {
      if (clock.monotonic() - shownAtMs < SHOW_EVERY_MS) return;
      shownAtMs = clock.monotonic();
      progress.show(part);
    },
    onWait(host, waitMs) {
      if (waitMs >= SHOWN_WAIT_MS) progress.note(`${host} asks for a wait of ${Math.ceil(waitMs / 1000)} s.`);
    },
  };
}

/** Runs `act`, and throws a NonRetriableError as a ConfigError, because its message says what to change. */
async function withConfigError<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof NonRetriableError) throw new ConfigError([error.message]);
    throw error;
  }
}

function describePart({ host, since, before, upTo, counts }: PartProgress): string {
  const [from, to, at] = [since, before, upTo].map((time) => Date.parse(time)) as [number, number, number];
  const share = Math.min(1, (at - from) / Math.max(1, to - from));
  const text = `${counts.compared} compared, ${counts.missing} missing`;
  return `${barOf(share)} ${Math.floor(share * 100)} % of ${host}: ${text}, up to ${upTo.slice(0, 19)}Z`;
}

function describeRemoved({ host, counts }: RemovedProgress): string {
  return `${host}: ${counts.compared} resources compared, ${counts.removed} removed`;
}

/** Returns the report of a part for `--json`, with its counts beside the other fields. */
function jsonOf(part: PartReport | RemovedReport) {
  const { counts, ...rest } = part;
  if (rest.end !== 'failed') return { ...rest, ...counts };
  const { error, ...more } = rest;
  return { ...more, ...counts, error: { code: errorCodeOf(error), message: error.message } };
}

type End = { readonly counts: { readonly unreadable: number } } & (
  | { readonly end: 'done' | 'stopped' }
  | { readonly end: 'failed'; readonly error: unknown }
);

/** Returns 0, 1, 3 or 130, as the help says. */
function exitCodeOf(parts: readonly End[]): 0 | 1 | 3 | 130 {
  if (parts.some(({ end }) => end === 'stopped')) return 130;
  if (parts.some((part) => part.end === 'failed' && part.error instanceof StorageError)) return 3;
  return parts.some(({ end, counts }) => end === 'failed' || counts.unreadable > 0) ? 1 : 0;
}
