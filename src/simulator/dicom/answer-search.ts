import type { SimulatorAnswer } from '../http.js';
import { answerDicomJson, answerNothing, type Call, checkAcceptsJson, refuse } from './answers.js';
import { isUid } from './check-image.js';
import { type Attribute, type Dataset, sortByTag, TAG, textsOf } from './dataset.js';
import { metadataOf } from './image-content.js';
import type { Image, Partition, Series, Study } from './image-store.js';
import { IMAGES_IN_SERIES, IMAGES_IN_STUDY, type Level, SERIES_TAGS, STUDY_TAGS } from './search-attributes.js';
import { type Filter, parseSearch, type Search } from './search-parameters.js';

/** One result of a search: a study, a series, or an image. */
type Found = { readonly study: Study; readonly series?: Series; readonly image?: Image };

const LEVELS: readonly Level[] = ['study', 'series', 'instance'];

/** QIDO-RS: answers a search of level `wanted`. Levels that the path names are neither filtered nor returned. */
export function answerSearch({ request, store, partition, params }: Call, wanted: Level): SimulatorAnswer {
  checkAcceptsJson(request, 'The answer to a search');
  const wrong = Object.values(params).find((uid) => !isUid(uid));
  if (wrong !== undefined) throw refuse(400, `'${wrong}' is no UID.`);
  const named = Object.keys(params).length;
  const levels = LEVELS.slice(named, LEVELS.indexOf(wanted) + 1);
  const search = parseSearch(request.query, levels);

  const found = findAll(store.partition(partition), params, { wanted, filters: search.filters });
  const page = found.slice(search.offset, search.offset + search.limit);
  if (page.length === 0) return answerNothing(204);
  const results = page.map((one) => pick(one, search, params));
  return answerDicomJson(200, results);
}

/** Returns the matches, the newest first. */
function findAll(
  partition: Partition | undefined,
  { studyUid, seriesUid }: Call['params'],
  { wanted, filters }: { wanted: Level; filters: readonly Filter[] },
): Found[] {
  const onlyStudy = studyUid ?? filters.find(({ tag }) => tag === TAG.studyUid)?.text;
  const studies = onlyStudy
    ? [partition?.studies.get(onlyStudy) ?? []].flat()
    : [...(partition?.studies.values() ?? [])];
  const ofStudies = filters.filter(({ level }) => level === 'study');
  const matching = studies.filter((study) => ofStudies.every((filter) => matchesStudy(study, filter)));
  if (wanted === 'study') return matching.map((study) => ({ study })).sort((a, b) => b.study.since - a.study.since);

  const ofSeries = filters.filter(({ level }) => level === 'series');
  const allSeries = matching.flatMap((study) =>
    [...study.series.values()]
      .filter(({ uid }) => seriesUid === undefined || uid === seriesUid)
      .filter((series) => ofSeries.every(({ tag, matches }) => matches(rowOf(series)[tag])))
      .map((series) => ({ study, series })),
  );
  if (wanted === 'series') return allSeries.sort((a, b) => b.series.since - a.series.since);

  const [ofImages] = filters.filter(({ level }) => level === 'instance');
  return allSeries
    .flatMap(({ study, series }) => [...series.images.values()].map((image) => ({ study, series, image })))
    .filter(({ image }) => !ofImages || ofImages.matches(uidAttribute(image.name.instanceUid)))
    .sort((a, b) => b.image.sequenceNumber - a.image.sequenceNumber);
}

function matchesStudy(study: Study, { tag, matches }: Filter): boolean {
  if (tag === TAG.modalitiesInStudy) return modalitiesOf(study).some((value) => matches({ vr: 'CS', Value: [value] }));
  return matches(tag === TAG.studyUid ? uidAttribute(study.uid) : study.values[tag]);
}

/** Returns the wanted attributes: from the index, else from the image, or the newest image of the study or series. */
function pick(found: Found, { tags }: Search, params: Call['params']): Dataset {
  const { study, series, image } = found;
  const indexed: Record<string, Attribute> = {
    ...study.values,
    [TAG.studyUid]: uidAttribute(study.uid),
    ...(series && rowOf(series)),
    ...countsOf(found),
  };
  const isEnough = [...tags].every((tag) => INDEXED.has(tag) || tag in indexed);
  const source = image || isEnough ? undefined : newestOf(found);
  const all = image ? metadataOf(image) : { ...(source && metadataOf(source)), ...indexed };
  const isWanted = (tag: string) =>
    tags.has(tag) || (tag === TAG.studyUid && params.studyUid) || (tag === TAG.seriesUid && params.seriesUid);
  return sortByTag(Object.fromEntries(Object.entries(all).filter(([tag]) => isWanted(tag))));
}

const INDEXED: ReadonlySet<string> = new Set([...STUDY_TAGS, ...SERIES_TAGS]);

function countsOf({ study, series }: Found): Record<string, Attribute> {
  const modalities = modalitiesOf(study);
  const images = [...study.series.values()].reduce((sum, one) => sum + one.images.size, 0);
  return {
    ...(modalities.length > 0 && { [TAG.modalitiesInStudy]: { vr: 'CS', Value: modalities } }),
    [IMAGES_IN_STUDY]: { vr: 'IS', Value: [images] },
    ...(series && { [IMAGES_IN_SERIES]: { vr: 'IS', Value: [series.images.size] } }),
  };
}

function modalitiesOf(study: Study): string[] {
  return [...new Set([...study.series.values()].flatMap((series) => textsOf(series.values[TAG.modality])))];
}

function newestOf({ study, series }: Found): Image | undefined {
  const images = (series ? [series] : [...study.series.values()]).flatMap((one) => [...one.images.values()]);
  return images.sort((a, b) => b.sequenceNumber - a.sequenceNumber)[0];
}

function rowOf(series: Series): Dataset {
  return { ...series.values, [TAG.seriesUid]: uidAttribute(series.uid) };
}

function uidAttribute(uid: string): Attribute {
  return { vr: 'UI', Value: [uid] };
}
