import type { SimulatorAnswer } from '../http.js';
import { answerFeed, answerFeedV1, answerLatest } from './answer-feed.js';
import { answerDelete, answerFiles, answerFrames, answerMetadata } from './answer-retrieve.js';
import { answerSearch } from './answer-search.js';
import { answerStore } from './answer-store.js';
import { answerOperation, answerUpdate } from './answer-update.js';
import { answerJson, type Call, refuse } from './answers.js';
import { DEFAULT_PARTITION } from './image-store.js';

type Handler = (call: Call) => SimulatorAnswer;
type Route = { readonly segments: readonly string[]; readonly methods: Readonly<Record<string, Handler>> };

const SERIES = 'studies/{studyUid}/series/{seriesUid}';
const INSTANCE = `${SERIES}/instances/{instanceUid}`;
const NOT_SIMULATED = new Map([
  ['workitems', 'Workitems'],
  ['export', 'Exports'],
  ['extendedquerytags', 'Extended query tags'],
]);
const refuseRendering: Handler = () => {
  throw refuse(501, 'Rendered images are not simulated: retrieve the frames.');
};
const searchStudies: Handler = (call) => answerSearch(call, 'study');
const searchSeries: Handler = (call) => answerSearch(call, 'series');
const searchInstances: Handler = (call) => answerSearch(call, 'instance');

const IN_PARTITIONS = routesOf({
  studies: { GET: searchStudies, POST: answerStore },
  'studies/$bulkUpdate': { POST: answerUpdate },
  'studies/{studyUid}': { GET: answerFiles, POST: answerStore, DELETE: answerDelete },
  'studies/{studyUid}/metadata': { GET: answerMetadata },
  'studies/{studyUid}/series': { GET: searchSeries },
  'studies/{studyUid}/instances': { GET: searchInstances },
  [SERIES]: { GET: answerFiles, DELETE: answerDelete },
  [`${SERIES}/metadata`]: { GET: answerMetadata },
  [`${SERIES}/instances`]: { GET: searchInstances },
  [INSTANCE]: { GET: answerFiles, DELETE: answerDelete },
  [`${INSTANCE}/metadata`]: { GET: answerMetadata },
  [`${INSTANCE}/rendered`]: { GET: refuseRendering },
  [`${INSTANCE}/frames/{frames}`]: { GET: answerFrames },
  [`${INSTANCE}/frames/{frames}/rendered`]: { GET: refuseRendering },
  series: { GET: searchSeries },
  instances: { GET: searchInstances },
});

const AT_THE_BASE = routesOf({
  partitions: { GET: answerPartitions },
  changefeed: { GET: answerFeed },
  'changefeed/latest': { GET: answerLatest },
  'operations/{operation}': { GET: answerOperation },
});

const OF_V1 = routesOf({
  changefeed: { GET: answerFeedV1 },
  'changefeed/latest': { GET: answerLatest },
});

const PARTITION_NAME = /^[A-Za-z0-9_.-]{1,64}$/;

/** Finds the resource, and lets it answer. */
export function answerRoute(context: Omit<Call, 'partition' | 'studies' | 'params'>): SimulatorAnswer {
  const { request, store } = context;
  const segments = segmentsOf(request.path);
  const isNamed = segments[0]?.toLowerCase() === 'partitions' && segments.length > 1;
  const [, partition = DEFAULT_PARTITION] = isNamed ? segments : [];
  const rest = isNamed ? segments.slice(2) : segments;
  const unknown = NOT_SIMULATED.get(rest[0]?.toLowerCase() ?? '');
  if (unknown) throw refuse(501, `${unknown} are not simulated.`);
  const isV1 = request.version === 'v1';
  const ofV2 = isNamed ? IN_PARTITIONS : [...AT_THE_BASE, ...IN_PARTITIONS];
  const found = isV1 ? findRoute(OF_V1, segments) : findRoute(ofV2, rest);
  if (!found && isV1) throw refuse(404, `Of version 1, only the change feed is simulated, not '${request.path}'.`);
  if (!found) throw refuse(404, `There is no resource '${request.path}' in version 2 of the DICOM service.`);
  const handler = found.methods[request.method.toUpperCase()];
  if (!handler) {
    const allowed = Object.keys(found.methods).join(', ');
    throw refuse(405, `${request.method} is not for '${request.path}': ${allowed}.`, { allow: allowed });
  }
  if (!PARTITION_NAME.test(partition)) {
    throw refuse(400, `'${partition}' is no name of a partition: at most 64 letters, digits, '.', '-' and '_'.`);
  }
  if (handler !== answerStore && !store.partition(partition)) {
    throw refuse(400, `Specified PartitionName '${partition}' does not exist: the first store into it makes it.`);
  }
  const root = isNamed ? `${request.base}/partitions/${partition}` : request.base;
  return handler({ ...context, partition, studies: `${root}/studies`, params: found.params });
}

function answerPartitions({ store }: Call): SimulatorAnswer {
  const partitions = store.partitions().map(({ key, name, createdAt }) => ({
    partitionKey: key,
    partitionName: name,
    createdDate: createdAt.toISOString(),
  }));
  return answerJson(200, partitions);
}

type Found = { methods: Route['methods']; params: Call['params'] };

function findRoute(routes: readonly Route[], path: readonly string[]): Found | undefined {
  for (const { segments, methods } of routes) {
    const isHere = (segment: string, at: number) =>
      isParam(segment) || segment.toLowerCase() === path[at]?.toLowerCase();
    if (segments.length !== path.length || !segments.every(isHere)) continue;
    const params = segments.flatMap((segment, at) =>
      isParam(segment) ? [[segment.slice(1, -1), path[at] ?? '']] : [],
    );
    return { methods, params: Object.fromEntries(params) };
  }
  return undefined;
}

function routesOf(methodsOf: Readonly<Record<string, Route['methods']>>): Route[] {
  return Object.entries(methodsOf).map(([path, methods]) => ({ segments: path.split('/'), methods }));
}

function isParam(segment: string): boolean {
  return segment.startsWith('{');
}

function segmentsOf(path: string): string[] {
  try {
    return path
      .replace(/^\/+|\/+$/g, '')
      .split('/')
      .map(decodeURIComponent);
  } catch {
    throw refuse(400, `The path '${path}' is not encoded as a URL is.`);
  }
}
