import { systemClock as clock } from '../../clock.js';
import { ConfigError } from '../../config.js';
import { errorCodeOf, NonRetriableError } from '../../errors.js';
import { reconcileDeps, servicesOf } from '../../functions/reconcile-deps.js';
import type { RemovedReport } from '../../reconcile/find-removed.js';
import { type PartProgress, type PartReport, type Request, reconcile } from '../../reconcile/reconcile.js';
import { sentencesOf } from '../../reconcile/report-text.js';
import { StorageError } from '../../storage/table-store.js';
import { type Output, writeTo } from '../output.js';
import { barOf, createProgress } from '../progress.js';
import { checkTypes, chooseServices, chooseWorkflow } from './choose.js';
import type { Connected } from './connect.js';
import { PACE } from './help.js';
import type { Asked } from './options.js';

/** The progress is drawn this often: drawing it for each change would slow the comparison down. */
const SHOW_EVERY_MS = 200;
/** A shorter wait needs no line of its own. */
const SHOWN_WAIT_MS = 5000;

export type RunDeps = Omit<Connected, 'close'> & { readonly signal: AbortSignal };

/** Compares the services, and writes what was found. Returns the exit code: 0, 1, 3 or 130. */
export async function run(asked: Asked, { app, off, signal }: RunDeps, { out, err }: Output): Promise<number> {
  const workflow = chooseWorkflow(asked.workflow, { workflows: app.workflows, off });
  checkTypes(asked.types, workflow ? [workflow] : app.workflows);
  const services = chooseServices(servicesOf(app.config), asked.service);
  const request: Request = { ...asked, services, workflow };
  const progress = createProgress<PartProgress>(err, { now: clock.monotonic, describe });
  const pace = { ...PACE, perSecond: asked.perSecond, signal };
  const report = await withConfigError(() =>
    reconcile(request, { ...reconcileDeps(app, pace), ...showing(progress) }),
  ).finally(progress.end);
  const sentences = sentencesOf(report);
  const json = { dryRun: report.isDryRun, parts: report.parts.map(jsonOf), message: sentences.join(' ') };
  await writeTo(out, asked.isJson ? `${JSON.stringify(json)}\n` : `${sentences.join('\n')}\n`);
  return exitCodeOf(report.parts);
}

/** Returns the callbacks that show how far a comparison has come, and each longer wait. */
export function showing<P>(progress: { show(of: P): void; note(text: string): void }) {
  let shownAtMs = Number.NEGATIVE_INFINITY;
  return {
    onProgress(part: P): void {
      if (clock.monotonic() - shownAtMs < SHOW_EVERY_MS) return;
      shownAtMs = clock.monotonic();
      progress.show(part);
    },
    onWait(host: string, waitMs: number): void {
      if (waitMs >= SHOWN_WAIT_MS) progress.note(`${host} asks for a wait of ${Math.ceil(waitMs / 1000)} s.`);
    },
  };
}

/** Throws each NonRetriableError as a ConfigError, because the settings are wrong. */
export async function withConfigError<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof NonRetriableError) throw new ConfigError([error.message]);
    throw error;
  }
}

function describe({ host, since, before, upTo, counts }: PartProgress): string {
  const [from, to, at] = [since, before, upTo].map((time) => Date.parse(time)) as [number, number, number];
  const share = Math.min(1, (at - from) / Math.max(1, to - from));
  const text = `${counts.compared} compared, ${counts.missing} missing`;
  return `${barOf(share)} ${Math.floor(share * 100)} % of ${host}: ${text}, up to ${upTo.slice(0, 19)}Z`;
}

/** Returns a report for `--json`: its counts are beside the other fields. */
export function jsonOf(part: PartReport | RemovedReport) {
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
export function exitCodeOf(parts: readonly End[]): 0 | 1 | 3 | 130 {
  if (parts.some(({ end }) => end === 'stopped')) return 130;
  if (parts.some((part) => part.end === 'failed' && part.error instanceof StorageError)) return 3;
  return parts.some(({ end, counts }) => end === 'failed' || counts.unreadable > 0) ? 1 : 0;
}
