import type { ImageName } from '../changes.js';
import { ChangeFeed, type FeedEntry } from './change-feed.js';
import type { Uids } from './check-image.js';
import { type Attribute, type Dataset, textsOf } from './dataset.js';
import { SERIES_TAGS, STUDY_TAGS } from './search-attributes.js';

/** One image. The file never changes: the attributes that updates set are kept beside the file. */
export type Image = {
  readonly name: ImageName;
  readonly transferSyntax: string;
  readonly file: Uint8Array;
  /** Tags of attributes with wrong values: metadata leaves them out. */
  readonly wrong: readonly string[];
  /** The number of the last change. */
  sequenceNumber: number;
  changes: Dataset | undefined;
};

/** `values` are the indexed attributes; `since` is the number of the change that made the group. */
type Group = { readonly uid: string; readonly since: number; values: Dataset };
export type Series = Group & { readonly images: Map<string, Image> };
export type Study = Group & { readonly series: Map<string, Series> };
export type Partition = {
  readonly key: number;
  readonly name: string;
  readonly createdAt: Date;
  readonly studies: Map<string, Study>;
};

type NewImage = Pick<Image, 'transferSyntax' | 'file' | 'wrong'> & { readonly uids: Uids; readonly dataset: Dataset };

/** Names a study, a series or an image. */
export type ImageSelector = Pick<Uids, 'studyUid'> & Partial<Uids>;

/** The partition of requests that name none. */
export const DEFAULT_PARTITION = 'Microsoft.Default';
const NO_TAGS: readonly string[] = [];

type ImageStoreDeps = {
  now: () => Date;
  /** Called after each change, with its entries of the feed. */
  whenChanged: (entries: readonly FeedEntry[]) => void;
  maxBytes: number;
  maxFeed: number;
};

/**
 * All images of a service. Each call is one step: it changes index and feed, then publishes, and returns its changes.
 */
export class ImageStore {
  readonly feed: ChangeFeed;
  readonly #deps: ImageStoreDeps;
  readonly #partitions = new Map<string, Partition>();
  #partitionsMade = 0;
  #bytes = 0;

  constructor(deps: ImageStoreDeps) {
    this.#deps = deps;
    this.feed = new ChangeFeed({ now: deps.now, maxEntries: deps.maxFeed });
    this.#makePartition(DEFAULT_PARTITION);
  }

  add(partitionName: string, image: NewImage): FeedEntry | 'exists' | 'full' {
    if (this.image({ partition: partitionName, ...image.uids })) return 'exists';
    if (this.#bytes + image.file.length > this.#deps.maxBytes) return 'full';
    const entry = this.#put(this.partition(partitionName) ?? this.#makePartition(partitionName), image);
    this.#deps.whenChanged([entry]);
    return entry;
  }

  remove(partitionName: string, { studyUid, seriesUid, instanceUid }: ImageSelector): FeedEntry[] {
    const studies = this.partition(partitionName)?.studies;
    const study = studies?.get(studyUid);
    if (!studies || !study) return [];
    const entries: FeedEntry[] = [];
    for (const series of seriesOf(study, seriesUid)) {
      for (const image of imagesOf(series, instanceUid)) {
        series.images.delete(image.name.instanceUid);
        this.#bytes -= image.file.length;
        entries.push(this.feed.add(image.name, 'deleted'));
      }
      if (series.images.size === 0) study.series.delete(series.uid);
    }
    if (study.series.size === 0) studies.delete(studyUid);
    if (entries.length > 0) this.#deps.whenChanged(entries);
    return entries;
  }

  /** Sets attributes in all images of a study. */
  revise(partitionName: string, studyUid: string, changes: Dataset): FeedEntry[] {
    const study = this.partition(partitionName)?.studies.get(studyUid);
    if (!study) return [];
    study.values = { ...study.values, ...indexedOf(changes, STUDY_TAGS) };
    const entries = this.find(partitionName, { studyUid }).map((image) => {
      const entry = this.feed.add(image.name, 'updated');
      image.sequenceNumber = entry.sequenceNumber;
      image.changes = image.changes ? { ...image.changes, ...changes } : changes;
      return entry;
    });
    this.#deps.whenChanged(entries);
    return entries;
  }

  partition(name: string): Partition | undefined {
    return this.#partitions.get(name);
  }

  partitions(): readonly Partition[] {
    return [...this.#partitions.values()];
  }

  /** Returns the images that the selector names, in the order in which they were stored. */
  find(partitionName: string, { studyUid, seriesUid, instanceUid }: ImageSelector): Image[] {
    const study = this.partition(partitionName)?.studies.get(studyUid);
    return study ? seriesOf(study, seriesUid).flatMap((series) => imagesOf(series, instanceUid)) : [];
  }

  image({ partition, studyUid, seriesUid, instanceUid }: ImageName): Image | undefined {
    return this.partition(partition)?.studies.get(studyUid)?.series.get(seriesUid)?.images.get(instanceUid);
  }

  counts() {
    const studies = this.partitions().flatMap((partition) => [...partition.studies.values()]);
    const series = studies.flatMap((study) => [...study.series.values()]);
    const images = series.reduce((sum, one) => sum + one.images.size, 0);
    const [partitions, bytes] = [this.#partitions.size, this.#bytes];
    return { partitions, studies: studies.length, series: series.length, images, bytes };
  }

  clear(): void {
    this.#partitions.clear();
    this.feed.clear();
    this.#bytes = 0;
    this.#makePartition(DEFAULT_PARTITION);
  }

  #put(partition: Partition, { uids, dataset, transferSyntax, file, wrong }: NewImage): FeedEntry {
    const { studyUid, seriesUid, instanceUid } = uids;
    const oldStudy = partition.studies.get(studyUid);
    const oldSeries = oldStudy?.series.get(seriesUid);
    // Images share the text of their UIDs, which keeps the index small.
    const names = { studyUid: oldStudy?.uid ?? studyUid, seriesUid: oldSeries?.uid ?? seriesUid };
    const entry = this.feed.add({ partition: partition.name, ...names, instanceUid }, 'created');
    const { sequenceNumber, name } = entry;
    const study = oldStudy ?? { uid: studyUid, since: sequenceNumber, values: {}, series: new Map() };
    const series = oldSeries ?? { uid: seriesUid, since: sequenceNumber, values: {}, images: new Map() };
    series.images.set(instanceUid, {
      name,
      transferSyntax,
      file: withoutPreamble(file),
      wrong: wrong.length > 0 ? wrong : NO_TAGS,
      sequenceNumber,
      changes: undefined,
    });
    this.#bytes += file.length;
    const right = Object.fromEntries(Object.entries(dataset).filter(([tag]) => !wrong.includes(tag)));
    study.values = { ...study.values, ...indexedOf(right, STUDY_TAGS) };
    series.values = { ...series.values, ...indexedOf(right, SERIES_TAGS) };
    study.series.set(seriesUid, series);
    partition.studies.set(studyUid, study);
    return entry;
  }

  #makePartition(name: string): Partition {
    this.#partitionsMade += 1;
    const key = name === DEFAULT_PARTITION ? 1 : this.#partitionsMade;
    const made = { key, name, createdAt: this.#deps.now(), studies: new Map() };
    this.#partitions.set(name, made);
    return made;
  }
}

function seriesOf(study: Study, uid?: string): Series[] {
  return uid === undefined ? [...study.series.values()] : [study.series.get(uid) ?? []].flat();
}

function imagesOf(series: Series, uid?: string): Image[] {
  return uid === undefined ? [...series.images.values()] : [series.images.get(uid) ?? []].flat();
}

/** Returns a copy with the first 128 bytes set to zero, because they can hide a file of another type. */
function withoutPreamble(file: Uint8Array): Uint8Array {
  return new Uint8Array(file).fill(0, 0, 128);
}

/** Returns the first value of each attribute. A later image overwrites a value, but never with an empty one. */
function indexedOf(dataset: Dataset, tags: readonly string[]): Dataset {
  const indexed = tags.flatMap((tag): [string, Attribute][] => {
    const { vr = '', Value = [] } = dataset[tag] ?? {};
    return textsOf(dataset[tag])[0] ? [[tag, { vr, Value: Value.slice(0, 1) }]] : [];
  });
  return Object.fromEntries(indexed);
}
