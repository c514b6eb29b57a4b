import { changeAnswer, type DeadLetterPage, listAnswer, payloadAnswer, shownAnswer } from '../../api/dead-letters.js';
import { overview, overviewWithoutStorage } from '../../api/overview.js';
import { createdUntil, type Filter, type Listing } from '../../dead-letters/list.js';
import type { ListedDeadLetter } from '../../dead-letters/listed.js';
import { newestOf } from '../../dead-letters/newest.js';
import type { Counts, Ids, Pace, Report } from '../../dead-letters/pace.js';
import { shortTextOf } from '../../dead-letters/report-text.js';
import type { Clinical, Shown } from '../../dead-letters/show.js';
import { type AppClient, AppRefusal, type AppRequest, optionErrorOfRefusal } from '../app-client.js';
import { StartError } from '../host/start-error.js';
import { OptionError, type Values } from '../options.js';
import type { Source } from './source.js';

/** The app returns at most this many dead letters in a list. */
const PAGE_SIZE = '1000';
/** The app answers a request of this size within seconds, so that Ctrl-C has an effect. */
const BATCH_SIZE = 100;
const MAX_PROBLEMS = 10;
/** Options that do not go with --app: the app sets the pace itself, and shows outcomes on its page. */
const NOT_OVER_HTTP = ['wait', 'stop-after', 'at-once', 'rate'];

/** Returns the dead letters of an app. @throws OptionError for an option that does not go with --app */
export function appSource(client: AppClient, values: Values): Source {
  const wrong = NOT_OVER_HTTP.find((name) => values[name] !== undefined);
  if (wrong)
    throw new OptionError(
      `--${wrong} does not go with --app: the app sets the pace, and its page, /api/ui/, shows the outcomes.`,
    );
  const ask: AppClient['ask'] = (request, schema) => client.ask(request, schema).catch(throwAsOptionError);
  return {
    list: (listing) => pagesOf(listing, ask),
    newest: (listing, options) => newest(listing, options, ask),
    show: (id, withPayload) => show(id, withPayload, ask),
    redrive: (ids, { isForced = false, isDryRun = false, event }, pace) =>
      change(
        'redrive',
        { force: isForced, dryRun: isDryRun, ...(event !== undefined && { event }) },
        { ids, pace, ask },
      ),
    discard: (ids, { why, isDryRun = false }, pace) => change('discard', { why, dryRun: isDryRun }, { ids, pace, ask }),
    async createdUntil(filter) {
      const { now } = await ask({ path: 'overview' }, overview.or(overviewWithoutStorage));
      return createdUntil(new Date(now), filter);
    },
    refuseUnknownNames: async () => {}, // the app has refused them
  };
}

type Ask = AppClient['ask'];

/** Throws the refusal of a request as an OptionError, and any other error again. */
function throwAsOptionError(error: unknown): never {
  throw error instanceof AppRefusal && error.status === 400 ? optionErrorOfRefusal(error, { event: 'edit' }) : error;
}

async function* pagesOf({ isResolved = false, ...filter }: Listing, ask: Ask): AsyncGenerator<ListedDeadLetter, void> {
  let after: string | null | undefined;
  while (after !== null) {
    const query = { ...queryOf(filter), resolved: String(isResolved), limit: PAGE_SIZE, ...(after && { after }) };
    const page = (await ask({ path: 'dead-letters', query }, listAnswer)) as DeadLetterPage;
    yield* page.letters as ListedDeadLetter[];
    after = page.next;
  }
}

function queryOf(filter: Filter): Record<string, string> {
  return Object.fromEntries(
    Object.entries(filter).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value instanceof Date ? value.toISOString() : value]],
    ),
  );
}

/** Returns the newest dead letters. The app lists stage by stage, so all stages must be read. */
async function newest(
  listing: Listing,
  options: Parameters<Source['newest']>[1],
  ask: Ask,
): ReturnType<Source['newest']> {
  const found = await newestOf(datedOf(pagesOf(listing, ask)), options);
  return { letters: found.newest.map(({ letter }) => letter), all: found.all };
}

async function* datedOf(letters: AsyncIterable<ListedDeadLetter>) {
  for await (const letter of letters) yield { at: Date.parse(letter.at), name: letter.id, letter };
}

async function show(id: string, withPayload: boolean, ask: Ask): ReturnType<Source['show']> {
  const path = `dead-letters/${encodeURIComponent(id)}`;
  try {
    if (!withPayload) return { shown: (await ask({ path }, shownAnswer)) as Shown };
    const { message, payload, ...shown } = await ask({ path: `${path}/payload` }, payloadAnswer);
    const clinical: Clinical = { ...(message !== undefined && { message }), payload };
    return { shown: shown as Shown, ...clinical };
  } catch (error) {
    if (error instanceof AppRefusal && error.status === 404) return undefined;
    throw error;
  }
}

type Changing = { readonly ids: Ids; readonly pace: Pace; readonly ask: Ask };

/**
 * Sends the ids in batches. If an answer is lost or the command is ended, the app may have done the work; a second
 * request for the same dead letter changes nothing (R1).
 */
async function change(verb: 'redrive' | 'discard', body: object, { ids, pace, ask }: Changing): Promise<Report> {
  const counts: Counts = {};
  let last: Omit<Report, 'counts'> = {};
  for await (const batch of batchesOf(ids)) {
    if (pace.signal.aborted) return { counts, ...last, stopped: 'asked-to' };
    const answer = await askWithCounts({ path: `dead-letters/${verb}`, body: { ...body, ids: batch } }, counts, ask);
    for (const [what, count] of Object.entries(answer.counts) as [keyof Counts, number][])
      counts[what] = (counts[what] ?? 0) + count;
    pace.onCount?.(counts);
    const { stopped, errorCode, problems = [] } = answer as unknown as Report;
    const known = last.problems ?? [];
    last = {
      ...(errorCode !== undefined && { errorCode }),
      ...(known.length + problems.length > 0 && { problems: [...known, ...problems].slice(0, MAX_PROBLEMS) }),
    };
    if (stopped) return { counts, stopped, ...last };
  }
  return { counts, ...last };
}

/** Asks the app. If the app no longer answers, throws a StartError with the counts so far. */
async function askWithCounts(request: AppRequest, counts: Counts, ask: Ask) {
  try {
    return await ask(request, changeAnswer);
  } catch (error) {
    const done = shortTextOf(counts);
    if (!(error instanceof StartError) || done === '') throw error;
    throw new StartError(`${error.message} Before that: ${done}. Run the same command again for the rest.`);
  }
}

async function* batchesOf(ids: Ids): AsyncGenerator<string[], void> {
  let batch: string[] = [];
  for await (const { id } of ids) {
    if (batch.push(id) < BATCH_SIZE) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
