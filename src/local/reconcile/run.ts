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
import type { Asked, AskedRemoved } from './options.js';

/** The progress is drawn this often: drawing it for each change would slow the comparison down. */
const SHOW_EVERY_MS = 200;
/** A shorter wait needs no line of its own. */
const SHOWN_WAIT_MS = 5000;

type RunDeps = Omit<Connected, 'close'> & { readonly signal: AbortSignal };

type Reported = { readonly parts: readonly (PartReport | RemovedReport)[]; readonly sentences: readonly string[] };
type Comparing<P> = RunDeps & {
  /** Returns the progress in words. */
  readonly describe: (progress: P) => string;
  readonly compare: (deps: ReturnType<typeof reconcileDeps> & Showing<P>) => Promise<Reported>;
};

/** Compares the services, and writes what was found. Returns the exit code: 0, 1, 3 or 130. */
export async function run(asked: Asked, deps: RunDeps, output: Output): Promise<number> {
  const { app, off } = deps;
  const workflow = chooseWorkflow(asked.workflow, { workflows: app.workflows, off });
  checkTypes(asked.types, workflow ? [workflow] : app.workflows);
  const services = chooseServices(servicesOf(app.config), asked.service);
  const compare: Comparing<PartProgress>['compare'] = async (of) => {
    const report = await reconcile({ ...asked, services, workflow }, of);
    return { parts: report.parts, sentences: sentencesOf(report) };
  };
  return compareAndReport(asked, { ...deps, describe: describePart, compare }, output);
}

/** Finds resources that their service no longer has, and writes what was found. Returns the exit code as `run`. */
export async function runFindRemoved(asked: AskedRemoved, deps: RunDeps, output: Output): Promise<number> {
  const { types, isDryRun } = asked;
  checkTypes(types, deps.app.workflows);
  const hosts = chooseFhirServices(servicesOf(deps.app.config), asked.service).map(({ host }) => host);
  const compare: Comparing<RemovedProgress>['compare'] = async (of) => {
    const parts = await findRemoved({ hosts, types, isDryRun }, of);
    return { parts, sentences: removedSentencesOf(parts, isDryRun) };
  };
  return compareAndReport(asked, { ...deps, describe: describeRemoved, compare }, output);
}

async function compareAndReport<P>(
  asked: AskedRemoved,
  { app, signal, describe, compare }: Comparing<P>,
  { out, err }: Output,
): Promise<number> {
  const progress = createProgress<P>(err, { describe });
  const deps = reconcileDeps(app, { ...PACE, perSecond: asked.perSecond, signal });
  const comparing = withConfigError(() => compare({ ...deps, ...showing(progress) }));
  const { parts, sentences } = await comparing.finally(progress.end);
  const json = { dryRun: asked.isDryRun, parts: parts.map(jsonOf), message: sentences.join(' ') };
  await writeTo(out, asked.isJson ? `${JSON.stringify(json)}\n` : `${sentences.join('\n')}\n`);
  return exitCodeOf(parts);
}

type Showing<P> = { onProgress(part: P): void; onWait(host: string, waitMs: number): void };

/** Returns the callbacks that show how far a comparison has come, and each longer wait. */
function showing<P>(progress: { show(of: P): void; note(text: string): void }): Showing<P> {
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

/** Throws each NonRetriableError as a ConfigError, because the settings are wrong. */
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

/** Returns a report for `--json`: its counts are beside the other fields. */
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
