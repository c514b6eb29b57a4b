import type { Clock, Random } from '../../clock.js';
import type { Publish } from '../changes.js';
import type { SimulatorAnswer, SimulatorRequest } from '../http.js';
import { refuse } from './answers.js';
import type { FeedEntry } from './change-feed.js';
import type { Dataset } from './dataset.js';
import { createImageStore, DEFAULT_PARTITION, type ImageSelector } from './image-store.js';
import { createOperations } from './operations.js';
import { answerRoute } from './routes.js';
import { storeImage } from './store-image.js';
import { parseChanges } from './study-update.js';

/** The DICOM service of a workspace, API v2. Everything takes effect at once, and is then published. */
export type DicomService = {
  readonly host: string;
  /** `request.path` is what comes after `…/dicom/v2`. Never throws. */
  answer(request: SimulatorRequest): SimulatorAnswer;
  /** Stores a file of PS3.10; where it is refused, `problems` say why, and nothing has changed. */
  store(part10: Uint8Array, options?: { readonly partition?: string }): StoreResult;
  /** Deletes a study, a series or an image. */
  delete(of: ImageSelector & { readonly partition?: string }): DeleteResult;
  /** Sets attributes of the patient and the study in all images of a study, as a bulk update does it. */
  update(of: { readonly studyUid: string; readonly partition?: string }, changes: Dataset): UpdateResult;
  current(
    partition: string,
    studyUid: string,
    seriesUid: string,
    instanceUid: string,
  ): { readonly sequenceNumber: number } | undefined;
  readonly counts: {
    readonly partitions: number;
    readonly studies: number;
    readonly series: number;
    readonly images: number;
    readonly bytes: number;
  };
  /** Forgets everything. Sequence numbers go on, so that no event is taken for an earlier one. */
  clear(): void;
};

export type StoreResult =
  | { readonly status: 'stored'; readonly sequenceNumber: number; readonly problems: readonly string[] }
  | { readonly status: 'duplicate' }
  | { readonly status: 'refused'; readonly reason: number; readonly problems: readonly string[] };
export type DeleteResult = { readonly status: 'deleted'; readonly images: number } | { readonly status: 'absent' };
export type UpdateResult =
  | { readonly status: 'updated'; readonly images: number }
  | { readonly status: 'absent' }
  | { readonly status: 'refused'; readonly problems: readonly string[] };

export type DicomServiceDeps = {
  readonly host: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly publish: Publish;
  /** What all files together may take; 512 MB. What goes beyond is refused, one by one. */
  readonly maxBytes?: number;
  /** What one request may carry; 100 MB. */
  readonly maxBodyBytes?: number;
  /** How many changes the feed remembers; 1,000,000. */
  readonly maxFeed?: number;
};

const MB = 1024 * 1024;

export function createDicomService({
  host,
  clock,
  random,
  publish,
  maxBytes = 512 * MB,
  maxBodyBytes = 100 * MB,
  maxFeed = 1_000_000,
}: DicomServiceDeps): DicomService {
  const store = createImageStore({ now: () => clock.now(), whenChanged: publishEntries, maxBytes, maxFeed });
  const operations = createOperations({ clock, random });

  return {
    host,
    answer(request) {
      try {
        return answerRoute({ request, store, operations, random, maxBodyBytes });
      } catch {
        return refuse(500, 'The simulator has a mistake that this request brought to light.');
      }
    },
    store(part10, { partition = DEFAULT_PARTITION } = {}) {
      const stored = storeImage(part10, { store, partition });
      if (stored.status === 'duplicate') return { status: 'duplicate' };
      if (stored.status === 'refused') return { status: 'refused', reason: stored.reason, problems: stored.problems };
      return { status: 'stored', sequenceNumber: stored.entry.sequenceNumber, problems: stored.problems };
    },
    delete({ partition = DEFAULT_PARTITION, ...of }) {
      const images = store.remove(partition, of).length;
      return images > 0 ? { status: 'deleted', images } : { status: 'absent' };
    },
    update({ studyUid, partition = DEFAULT_PARTITION }, changes) {
      const parsed = parseChanges(changes);
      if (parsed.kind === 'malformed') return { status: 'refused', problems: [parsed.message] };
      if (parsed.kind === 'refused') return { status: 'refused', problems: parsed.problems };
      const images = store.revise(partition, studyUid, parsed.changes).length;
      return images > 0 ? { status: 'updated', images } : { status: 'absent' };
    },
    current(partition, studyUid, seriesUid, instanceUid) {
      const image = store.image({ partition, studyUid, seriesUid, instanceUid });
      return image && { sequenceNumber: image.sequenceNumber };
    },
    get counts() {
      return store.counts();
    },
    clear() {
      operations.clear();
      store.clear();
    },
  };

  function publishEntries(entries: readonly FeedEntry[]): void {
    publish(
      entries.map(({ name, change, sequenceNumber, at }) => ({
        service: 'dicom',
        change,
        host,
        ...name,
        sequenceNumber,
        at,
      })),
    );
  }
}
