import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { type Chosen, discardBody, QUOTABLE, redriveBody } from '../api/dead-letter-requests.js';
import { type Outcomes, outcomesBody } from '../api/dead-letters.js';
import { createdUntil } from '../dead-letters/list.js';
import { discardMany, redriveMany } from '../dead-letters/many.js';
import { countOutcomes } from '../dead-letters/outcomes.js';
import type { Ids, Report } from '../dead-letters/pace.js';
import { sentencesOf } from '../dead-letters/report-text.js';
import { callerIdOf } from './caller.js';
import type { App } from './compose.js';
import { refuseUnknownName, takePage } from './dead-letters.js';
import { readBody } from './read-body.js';
import { type FunctionApp, serve } from './serve.js';

/** Enough for a corrected event of 32 KiB, or 1,000 ids. */
const MAX_CHARACTERS = 256 * 1024;
const PACE = { atOnce: 16, perSecond: Number.POSITIVE_INFINITY, signal: new AbortController().signal };

const LOG_CODES = { redrive: 'letters-redriven', discard: 'letters-discarded' } as const;

type Deps = Pick<App, 'deadLetterStores' | 'workflows' | 'config' | 'telemetry' | 'pipeline' | 'actions'>;
type Request = Pick<HttpRequest, 'text' | 'headers'>;
type Change = {
  readonly body: Chosen;
  readonly intent: { readonly what: 'redrive' | 'discard'; readonly by: string; readonly why?: string };
  /** True if the body has a corrected event. */
  readonly isEdited?: boolean;
  run(ids: Ids): Promise<Report>;
};

/** Registers the redrive and the discard of chosen dead letters, and the outcomes of redrives, for the level `admin`. */
export function registerDeadLetterChanges(functions: FunctionApp, deps: Deps): void {
  serve(functions, 'redriveDeadLetters', (request) => redrive(request, deps));
  serve(functions, 'discardDeadLetters', (request) => discard(request, deps));
  serve(functions, 'deadLetterOutcomes', (request) => outcomes(request, deps));
}

async function redrive(request: Request, deps: Deps): Promise<HttpResponseInit> {
  const read = await readBody(request, { schema: redriveBody, maxCharacters: MAX_CHARACTERS, quotable: QUOTABLE });
  if (read.kind === 'wrong') return read.answer;
  const { value: body } = read;
  const by = callerIdOf(request, deps);
  const { dryRun: isDryRun, force: isForced, event } = body;
  const options = { by, isForced, isDryRun, ...(event !== undefined && { event }) };
  const run = (ids: Ids) => redriveMany(ids, options, { pace: PACE, stores: deps.deadLetterStores });
  const answer = await change({ body, intent: { what: 'redrive', by }, isEdited: event !== undefined, run }, deps);
  // A person waits, so the rows run now, not at the next look for due rows. `wake` never throws.
  if (!isDryRun && answer.status === undefined) await deps.pipeline.wake();
  return answer;
}

async function discard(request: Request, deps: Deps): Promise<HttpResponseInit> {
  const read = await readBody(request, { schema: discardBody, maxCharacters: MAX_CHARACTERS, quotable: QUOTABLE });
  if (read.kind === 'wrong') return read.answer;
  const { value: body } = read;
  const by = callerIdOf(request, deps);
  const note = { by, why: body.why, isDryRun: body.dryRun };
  const run = (ids: Ids) => discardMany(ids, note, { pace: PACE, stores: deps.deadLetterStores });
  return change({ body, intent: { what: 'discard', by, why: body.why }, run }, deps);
}

/** Answers with the outcomes of redrives, and changes nothing. A POST, because a URL cannot hold 1,000 ids. */
async function outcomes(request: Request, { deadLetterStores: stores, config }: Deps): Promise<HttpResponseInit> {
  const read = await readBody(request, { schema: outcomesBody, maxCharacters: MAX_CHARACTERS, quotable: QUOTABLE });
  if (read.kind === 'wrong') return read.answer;
  const { workspaces } = config;
  return { jsonBody: (await countOutcomes(read.value.ids, { stores, workspaces })) satisfies Outcomes };
}

/** Changes the chosen dead letters. Answers with the counts by their codes for scripts, and the same in words. */
async function change({ body, intent, isEdited, run }: Change, deps: Deps): Promise<HttpResponseInit> {
  const { filter, dryRun } = body;
  const { chosen, next } = await choose(body, deps.deadLetterStores);
  const isPart = body.after !== undefined || next !== null;
  const refused = await refuseUnknownName({ found: chosen.length, filter, at: 'filter.', isPart }, deps);
  if (refused) return refused;
  const isAction = !dryRun && chosen.length > 0;
  const end = isAction ? await deps.actions.begin(intent) : undefined;
  const report = await run(chosen);
  await end?.(report.counts);
  const logged = { by: intent.by, ...(isEdited && { code: 'edited' }), numbers: { ...report.counts } };
  if (!dryRun) deps.telemetry.log('info', LOG_CODES[intent.what], logged);
  return { jsonBody: { dryRun, ...report, message: sentencesOf(report, dryRun).join(' '), next } };
}

/** Returns the dead letters that a body names, or a page of those that its filter matches now. */
async function choose(
  { ids, filter = {}, ...page }: Chosen,
  stores: App['deadLetterStores'],
): Promise<{ chosen: readonly { id: string }[]; next: string | null }> {
  if (ids) return { chosen: ids.map((id) => ({ id })), next: null };
  const listing = createdUntil(await stores.storageNow(), filter);
  const { letters: chosen, next } = await takePage({ ...page, filter: listing }, stores);
  return { chosen, next };
}
