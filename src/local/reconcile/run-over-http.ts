import type * as z from 'zod';
import { type ReconcileRequest, reconcileAccepted, type reconcileBody, reconcileRequest } from '../../api/reconcile.js';
import { type Clock, sleep } from '../../clock.js';
import { type AppClient, AppRefusal, optionErrorOfRefusal } from '../app-client.js';
import { OptionError, type Values } from '../options.js';
import { type Output, writeTo } from '../output.js';
import { createProgress } from '../progress.js';
import { readHistoryOptions, readRemovedOptions } from './options.js';

/** The app works on requests once a minute. */
const ASK_AGAIN_MS = 5000;

type Body = z.input<typeof reconcileBody>;
type Deps = { readonly client: AppClient; readonly clock: Clock; readonly signal: AbortSignal };

/**
 * Asks the app to compare, and waits for the result. Returns the exit code: 0, 1 or 130. If this command ends before,
 * the app continues, and the same command finds the same request.
 */
export async function runOverHttp(values: Values, deps: Deps, { out, err }: Output): Promise<number> {
  const { client, clock } = deps;
  const body = bodyOf(values, clock.now());
  const { id } = await client.ask({ path: 'reconcile', body }, reconcileAccepted).catch(throwAsOptionError);
  const progress = createProgress<ReconcileRequest>(err, { describe: ({ message }) => message });
  const ended = await untilEnded(`reconcile/${id}`, deps, progress.show).finally(progress.end);
  if (!ended) {
    await writeTo(err, `The app goes on with the request: GET /api/reconcile/${id}.\n`);
    return 130;
  }
  const { state, counts, message } = ended;
  await writeTo(out, `${values.json ? JSON.stringify(jsonOf(ended)) : message}\n`);
  return state === 'failed' || (counts.unreadable ?? 0) > 0 ? 1 : 0;
}

/** Returns the report as without `--app`, but its parts have no `end` and no `error`: the app has one state for all. */
function jsonOf({ dryRun, state, since, until: before, parts, message }: ReconcileRequest) {
  const jsonOfPart = ({ host, part, upTo, counts }: ReconcileRequest['parts'][number]) =>
    part === null ? { host, ...counts } : { host, part, since, before, upTo, ...counts };
  return { dryRun, state, parts: parts.map(jsonOfPart), message };
}

/** Throws a refusal as an OptionError, and any other error again. */
function throwAsOptionError(error: unknown): never {
  throw error instanceof AppRefusal ? optionErrorOfRefusal(error) : error;
}

function bodyOf(values: Values, now: Date): Body {
  if (values.rate !== undefined) throw new OptionError('--rate does not go with --app: the app sets the pace.');
  if (values['find-removed']) {
    const { service, types, isDryRun } = readRemovedOptions(values);
    return { findRemoved: true, dryRun: isDryRun, service, types: types && [...types] };
  }
  const { since, until, service, types, workflow, areRowsLost, isDryRun } = readHistoryOptions(values, now);
  const body = { since, until, service, types: types && [...types], workflow, dryRun: isDryRun };
  return areRowsLost ? { ...body, rowsLost: true } : body;
}

/** Returns the request when it has ended; undefined if `signal` aborts before. */
async function untilEnded(
  path: string,
  { client, clock, signal }: Deps,
  show: (request: ReconcileRequest) => void,
): Promise<ReconcileRequest | undefined> {
  while (!signal.aborted) {
    const request = await client.ask({ path }, reconcileRequest);
    if (request.state === 'done' || request.state === 'failed') return request;
    show(request);
    await sleep(clock, ASK_AGAIN_MS, signal);
  }
  return undefined;
}
