import { type ChangeFeed, createChangeFeed, type FeedEntry, type ImageName } from './change-feed.js';
import type { Uids } from './check-image.js';
import { type Attribute, type Dataset, textsOf } from './dataset.js';
import { SERIES_TAGS, STUDY_TAGS } from './search-attributes.js';

/** One image. Its file is never changed: what an update sets is kept beside it. */
export type Image = {
  readonly name: ImageName;
  readonly transferSyntax: string;
  readonly file: Uint8Array;
  /** Attributes whose values are wrong, which metadata leaves out. */
  readonly wrong: readonly string[];
  /** Of its last change. */
  sequenceNumber: number;
  changes: Dataset | undefined;
};

/** `values` is what an index has of it; `since` the number of the change that made it. */
type Group = { readonly uid: string; readonly since: number; values: Dataset };
export type Series = Group & { readonly images: Map<string, Image> };
export type Study = Group & { readonly series: Map<string, Series> };
export type Partition = {
  readonly key: number;
  readonly name: string;
  readonly createdAt: Date;
  readonly studies: Map<string, Study>;
};

export type NewImage = {
  readonly uids: Uids;
  readonly dataset: Dataset;
  readonly transferSyntax: string;
  readonly file: Uint8Array;
  readonly wrong: readonly string[];
};

/** What of a study is meant: all, a series, an image. */
export type ImageSelector = { readonly studyUid: string; readonly seriesUid?: string; readonly instanceUid?: string };

/** All images of a service. Each call takes effect as a whole, and is then told; what it returns is what happened. */
export type ImageStore = {
  add(partition: string, image: NewImage): { kind: 'added'; entry: FeedEntry } | { kind: 'exists' } | { kind: 'full' };
  remove(partition: string, of: ImageSelector): FeedEntry[];
  /** Sets attributes in all images of a study. */
  revise(partition: string, studyUid: string, changes: Dataset): FeedEntry[];
  partition(name: string): Partition | undefined;
  readonly partitions: () => readonly Partition[];
  image(name: ImageName): Image | undefined;
  readonly feed: ChangeFeed;
  readonly counts: () => { partitions: number; studies: number; series: number; images: number; bytes: number };
  clear(): void;
};

export const DEFAULT_PARTITION = 'Microsoft.Default';
const NO_TAGS: readonly string[] = [];

export function createImageStore({
  now,
  whenChanged,
  maxBytes,
  maxFeed,
}: {
  now: () => Date;
  whenChanged: (entries: readonly FeedEntry[]) => void;
  maxBytes: number;
  maxFeed: number;
}): ImageStore {
  const feed = createChangeFeed({ now, maxEntries: maxFeed });
  const partitions = new Map<string, Partition>();
  let partitionsMade = 0;
  let bytes = 0;
  makePartition(DEFAULT_PARTITION);

  return {
    add(partitionName, { uids, dataset, transferSyntax, file, wrong }) {
      const { studyUid, seriesUid, instanceUid } = uids;
      const found = partitions.get(partitionName)?.studies.get(studyUid)?.series.get(seriesUid);
      if (found?.images.has(instanceUid)) return { kind: 'exists' };
      if (bytes + file.length > maxBytes) return { kind: 'full' };

      const partition = partitions.get(partitionName) ?? makePartition(partitionName);
      const oldStudy = partition.studies.get(studyUid);
      const oldSeries = oldStudy?.series.get(seriesUid);
      const names = { studyUid: oldStudy?.uid ?? studyUid, seriesUid: oldSeries?.uid ?? seriesUid };
      const name = { partition: partition.name, ...names, instanceUid };
      const entry = feed.add(name, 'created');
      const since = entry.sequenceNumber;
      const study = oldStudy ?? { uid: studyUid, since, values: {}, series: new Map() };
      const series = oldSeries ?? { uid: seriesUid, since, values: {}, images: new Map() };
      series.images.set(instanceUid, {
        name,
        transferSyntax,
        file: withoutPreamble(file),
        wrong: wrong.length > 0 ? wrong : NO_TAGS,
        sequenceNumber: entry.sequenceNumber,
        changes: undefined,
      });
      bytes += file.length;
      const right = Object.fromEntries(Object.entries(dataset).filter(([tag]) => !wrong.includes(tag)));
      study.values = { ...study.values, ...indexedOf(right, STUDY_TAGS) };
      series.values = { ...series.values, ...indexedOf(right, SERIES_TAGS) };
      study.series.set(seriesUid, series);
      partition.studies.set(studyUid, study);
      whenChanged([entry]);
      return { kind: 'added', entry };
    },

    remove(partitionName, { studyUid, seriesUid, instanceUid }) {
      const studies = partitions.get(partitionName)?.studies;
      const study = studies?.get(studyUid);
      if (!studies || !study) return [];
      const entries: FeedEntry[] = [];
      for (const series of seriesOf(study, seriesUid)) {
        for (const image of imagesOf(series, instanceUid)) {
          series.images.delete(image.name.instanceUid);
          bytes -= image.file.length;
          entries.push(feed.add(image.name, 'deleted'));
        }
        if (series.images.size === 0) study.series.delete(series.uid);
      }
      if (study.series.size === 0) studies.delete(studyUid);
      if (entries.length > 0) whenChanged(entries);
      return entries;
    },

    revise(partitionName, studyUid, changes) {
      const study = partitions.get(partitionName)?.studies.get(studyUid);
      if (!study) return [];
      study.values = { ...study.values, ...indexedOf(changes, STUDY_TAGS) };
      const entries = imagesOfStudy(study).map((image) => {
        const entry = feed.add(image.name, 'updated');
        image.sequenceNumber = entry.sequenceNumber;
        image.changes = image.changes ? { ...image.changes, ...changes } : changes;
        return entry;
      });
      whenChanged(entries);
      return entries;
    },

    partition: (name) => partitions.get(name),
    partitions: () => [...partitions.values()],
    image: ({ partition, studyUid, seriesUid, instanceUid }) =>
      partitions.get(partition)?.studies.get(studyUid)?.series.get(seriesUid)?.images.get(instanceUid),
    feed,
    counts() {
      const studies = [...partitions.values()].flatMap((partition) => [...partition.studies.values()]);
      const series = studies.flatMap((study) => [...study.series.values()]);
      const images = series.reduce((sum, one) => sum + one.images.size, 0);
      return { partitions: partitions.size, studies: studies.length, series: series.length, images, bytes };
    },
    clear() {
      partitions.clear();
      feed.clear();
      bytes = 0;
      makePartition(DEFAULT_PARTITION);
    },
  };

  function makePartition(name: string): Partition {
    partitionsMade += 1;
    const key = name === DEFAULT_PARTITION ? 1 : partitionsMade;
    const made = { key, name, createdAt: now(), studies: new Map() };
    partitions.set(name, made);
    return made;
  }
}

export function imagesOfStudy(study: Study): Image[] {
  return [...study.series.values()].flatMap((series) => [...series.images.values()]);
}

/** The images that are meant, in the order in which they were stored; none where there is no such thing. */
export function find(partition: Partition | undefined, { studyUid, seriesUid, instanceUid }: ImageSelector): Image[] {
  const study = partition?.studies.get(studyUid);
  return study ? seriesOf(study, seriesUid).flatMap((series) => imagesOf(series, instanceUid)) : [];
}

function seriesOf(study: Study, uid: string | undefined): Series[] {
  return uid === undefined ? [...study.series.values()] : [study.series.get(uid) ?? []].flat();
}

function imagesOf(series: Series, uid: string | undefined): Image[] {
  return uid === undefined ? [...series.images.values()] : [series.images.get(uid) ?? []].flat();
}

/** A copy, whose first 128 bytes are zero: another kind of file could hide in them. */
function withoutPreamble(file: Uint8Array): Uint8Array {
  return new Uint8Array(file).fill(0, 0, 128);
}

/** The first value of each: a later image overwrites what an earlier one gave, but never with nothing. */
function indexedOf(dataset: Dataset, tags: readonly string[]): Dataset {
  const indexed: Record<string, Attribute> = {};
  for (const tag of tags) {
    const attribute = dataset[tag];
    if (attribute?.Value && textsOf(attribute)[0])
      indexed[tag] = { vr: attribute.vr, Value: attribute.Value.slice(0, 1) };
  }
  return indexed;
}
