import { systemClock as clock } from '../../clock.js';
import { ConfigError } from '../../config.js';
import { digest } from '../../digest.js';
import { errorCodeOf } from '../../errors.js';
import type { App } from '../../functions/compose.js';
import { reconcileDeps, servicesOf } from '../../functions/reconcile-deps.js';
import {
  findRemoved,
  type RemovedDeps,
  type RemovedProgress,
  type RemovedReport,
} from '../../reconcile/find-removed.js';
import type { Pace } from '../../reconcile/pace.js';
import { removedSentencesOf } from '../../reconcile/removed-text.js';
import { workspaceOf } from '../../reconcile/workspace.js';
import { type Output, writeTo } from '../output.js';
import { createProgress } from '../progress.js';
import { checkTypes, chooseFhirServices } from './choose.js';
import { PACE } from './help.js';
import type { AskedRemoved } from './options.js';
import { exitCodeOf, type RunDeps, showing, withConfigError } from './run.js';

const INDEX = 'resource-index';

/** Finds resources that their service no longer has, and writes what was found. Returns the exit code: 0, 1, 3 or 130. */
export async function runFindRemoved(
  asked: AskedRemoved,
  { app, signal }: RunDeps,
  { out, err }: Output,
): Promise<number> {
  const { types, isDryRun } = asked;
  checkTypes(types, app.workflows);
  if (!app.workflows.some(({ name }) => name === INDEX))
    throw new ConfigError([`--find-removed needs the workflow ${INDEX}, whose table lists the resources: turn it on`]);
  const services = chooseFhirServices(servicesOf(app.config), asked.service);
  const sources = await withConfigError(async () =>
    services.map(({ host }) => ({ host, source: workspaceOf(host, app.config) })),
  );
  const progress = createProgress<RemovedProgress>(err, { now: clock.monotonic, describe });
  const pace = { ...PACE, perSecond: asked.perSecond, signal };
  const deps = { ...depsOf(app, pace), ...showing(progress) };
  const parts: RemovedReport[] = [];
  for (const of of sources) {
    const part = await findRemoved({ ...of, types, isDryRun }, deps).finally(progress.end);
    parts.push(part);
    if (part.end === 'stopped') break;
  }
  const sentences = removedSentencesOf(parts, isDryRun);
  const json = { dryRun: isDryRun, parts: parts.map(jsonOf), message: sentences.join(' ') };
  await writeTo(out, asked.isJson ? `${JSON.stringify(json)}\n` : `${sentences.join('\n')}\n`);
  return exitCodeOf(parts);
}

function depsOf(app: App, pace: Pace): Omit<RemovedDeps, 'onProgress' | 'onWait'> {
  const { ledger, waiting, workflowTables } = app;
  const { readers, known, clock, storageNow } = reconcileDeps(app, pace);
  return {
    readers,
    known,
    async hasEvent(eventId) {
      const id = digest(eventId);
      return (await waiting.find(id)).length > 0 || (await ledger.find(id)).length > 0;
    },
    workflowTables,
    clock,
    storageNow,
    pace,
  };
}

function describe({ host, counts }: RemovedProgress): string {
  return `${host}: ${counts.compared} resources compared, ${counts.removed} removed`;
}

function jsonOf(part: RemovedReport) {
  const { counts, ...rest } = part;
  if (rest.end !== 'failed') return { ...rest, ...counts };
  const { error, ...more } = rest;
  return { ...more, ...counts, error: { code: errorCodeOf(error), message: error.message } };
}
