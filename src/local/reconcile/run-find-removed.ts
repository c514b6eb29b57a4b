import { systemClock as clock } from '../../clock.js';
import { reconcileDeps, servicesOf } from '../../functions/reconcile-deps.js';
import { findRemoved, type RemovedProgress } from '../../reconcile/find-removed.js';
import { removedSentencesOf } from '../../reconcile/report-text.js';
import { type Output, writeTo } from '../output.js';
import { createProgress } from '../progress.js';
import { checkTypes, chooseFhirServices } from './choose.js';
import { PACE } from './help.js';
import type { AskedRemoved } from './options.js';
import { exitCodeOf, jsonOf, type RunDeps, showing, withConfigError } from './run.js';

/** Finds resources that their service no longer has, and writes what was found. Returns the exit code: 0, 1, 3 or 130. */
export async function runFindRemoved(
  asked: AskedRemoved,
  { app, signal }: RunDeps,
  { out, err }: Output,
): Promise<number> {
  const { types, isDryRun } = asked;
  checkTypes(types, app.workflows);
  const hosts = chooseFhirServices(servicesOf(app.config), asked.service).map(({ host }) => host);
  const progress = createProgress<RemovedProgress>(err, { now: clock.monotonic, describe });
  const pace = { ...PACE, perSecond: asked.perSecond, signal };
  const parts = await withConfigError(() =>
    findRemoved({ hosts, types, isDryRun }, { ...reconcileDeps(app, pace), ...showing(progress) }),
  ).finally(progress.end);
  const sentences = removedSentencesOf(parts, isDryRun);
  const json = { dryRun: isDryRun, parts: parts.map(jsonOf), message: sentences.join(' ') };
  await writeTo(out, asked.isJson ? `${JSON.stringify(json)}\n` : `${sentences.join('\n')}\n`);
  return exitCodeOf(parts);
}

function describe({ host, counts }: RemovedProgress): string {
  return `${host}: ${counts.compared} resources compared, ${counts.removed} removed`;
}
