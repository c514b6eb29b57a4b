import type { DicomVersion, SimulatorAnswer } from '../http.js';
import { answerJson, answerNothing, type Call, refuse } from './answers.js';
import type { FeedEntry } from './change-feed.js';
import { metadataOf } from './image-content.js';
import type { ImageStore } from './image-store.js';

/** The entries of a page in each version of the API: without `limit`, and at most. */
const PAGE = { v1: { usual: 10, max: 100 }, v2: { usual: 100, max: 200 } } as const;
const NO_MOMENT = 'startTime and endTime must be a date and time with a time zone, such as 2025-01-31T12:00:00Z.';
const ACTIONS = { created: 'create', updated: 'update', deleted: 'delete' } as const;

/** Answers with a page of the changes between two moments, in order. */
export function answerFeed({ request, store }: Call): SimulatorAnswer {
  const query = queryOf(request);
  const { offset, limit, withMetadata } = readPage(query, 'v2');
  const from = parseMoment(query.get('starttime'));
  const to = parseMoment(query.get('endtime'));
  if (from && to && to <= from) throw refuse(400, 'startTime must be before endTime.');
  const page = store.feed.page({ from, to, offset, limit });
  const described = page.map((entry) => describe(entry, store, withMetadata));
  return answerJson(200, described);
}

/** Answers as v1, with the sequences `offset` + 1 to `offset` + `limit`. An empty page is not the end of the feed. */
export function answerFeedV1({ request, store }: Call): SimulatorAnswer {
  const { offset, limit, withMetadata } = readPage(queryOf(request), 'v1');
  const described = store.feed.pageByNumber({ offset, limit }).map((entry) => describe(entry, store, withMetadata));
  return answerJson(200, described);
}

function readPage(query: ReadonlyMap<string, string>, version: DicomVersion) {
  const { usual, max } = PAGE[version];
  const offset = Number(query.get('offset') ?? 0);
  const limit = Number(query.get('limit') ?? usual);
  if (!Number.isSafeInteger(offset) || offset < 0) {
    throw refuse(400, 'offset must be a whole number, and not negative.');
  }
  if (!Number.isInteger(limit) || limit < 1 || limit > max) {
    throw refuse(400, `limit must be between 1 and ${max}.`);
  }
  return { offset, limit, withMetadata: wantsMetadata(query) };
}

/** Answers with the newest entry of the change feed, or with 204 if the feed is empty. */
export function answerLatest({ request, store }: Call): SimulatorAnswer {
  const withMetadata = wantsMetadata(queryOf(request));
  const latest = store.feed.latest();
  return latest ? answerJson(200, describe(latest, store, withMetadata)) : answerNothing(204);
}

/** Returns the query with names in lower case, because their case does not count. */
function queryOf({ query }: Call['request']): ReadonlyMap<string, string> {
  return new Map([...query].map(([name, value]) => [name.toLowerCase(), value.trim()]));
}

/** A change as the feed answers it. */
export type AnsweredChange = ReturnType<typeof describe>;

/** The metadata is that of the image as it is now, also for an earlier change. */
function describe({ sequenceNumber, name, change, at }: FeedEntry, store: ImageStore, withMetadata: boolean) {
  const image = store.image(name);
  const isCurrent = change !== 'deleted' && image?.sequenceNumber === sequenceNumber;
  return {
    sequence: sequenceNumber,
    partitionName: name.partition,
    studyInstanceUid: name.studyUid,
    seriesInstanceUid: name.seriesUid,
    sopInstanceUid: name.instanceUid,
    action: ACTIONS[change],
    timestamp: at.toISOString(),
    /** `replaced`: the image has a newer entry. */
    state: image ? (isCurrent ? 'current' : 'replaced') : 'deleted',
    ...(withMetadata && image && { metadata: metadataOf(image) }),
  };
}

function wantsMetadata(query: ReadonlyMap<string, string>): boolean {
  const flag = (query.get('includemetadata') ?? 'true').toLowerCase();
  if (flag !== 'true' && flag !== 'false') throw refuse(400, 'includeMetadata must be true or false.');
  return flag === 'true';
}

/** Reads a time. A time without a zone is refused, because it names no moment. */
function parseMoment(text: string | undefined): Date | undefined {
  if (text === undefined || text === '') return undefined;
  const hasZone = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?\s?(Z|[-+]\d\d:?\d\d)$/i.test(text);
  const moment = new Date(text);
  if (hasZone && !Number.isNaN(moment.getTime())) return moment;
  throw refuse(400, NO_MOMENT);
}
