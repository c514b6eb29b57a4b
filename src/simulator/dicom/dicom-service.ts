import type { Clock, Random } from '../../clock.js';
import type { DicomChange, Publish } from '../changes.js';
import type { SimulatorAnswer, SimulatorRequest } from '../http.js';
import { Refusal } from './answers.js';
import type { FeedEntry, ImageName } from './change-feed.js';
import type { Dataset } from './dataset.js';
import { DEFAULT_PARTITION, type ImageSelector, ImageStore } from './image-store.js';
import { createOperations } from './operations.js';
import { answerRoute } from './routes.js';
import { type Stored, storeImage } from './store-image.js';
import { parseChanges } from './study-update.js';

/** The DICOM service of a workspace, API v2. Each change takes effect at once, and is then published. */
export type DicomService = {
  readonly host: string;
  /** Answers a request; `request.path` is the path after `…/dicom/v2`. Never throws. */
  answer(request: SimulatorRequest): SimulatorAnswer;
  /** Stores a PS3.10 file. A file that is refused changes nothing, and `problems` say why. */
  store(part10: Uint8Array, options?: { readonly partition?: string }): StoreResult;
  /** Deletes a study, a series or an image. */
  delete(of: ImageSelector & { readonly partition?: string }): DeleteResult;
  /** Sets attributes of patient and study in all images of a study, as a bulk update does. */
  update(of: { readonly studyUid: string; readonly partition?: string }, changes: Dataset): UpdateResult;
  current(image: ImageName): { readonly sequenceNumber: number } | undefined;
  readonly counts: Readonly<Record<'partitions' | 'studies' | 'series' | 'images' | 'bytes', number>>;
  /** Removes everything. Sequence numbers continue, so that a new event never looks like an earlier one. */
  clear(): void;
};

type StoreResult =
  | { readonly status: 'stored'; readonly sequenceNumber: number; readonly problems: readonly string[] }
  | { readonly status: 'duplicate' }
  | { readonly status: 'refused'; readonly reason: number; readonly problems: readonly string[] };
type DeleteResult = { readonly status: 'deleted'; readonly images: number } | { readonly status: 'absent' };
type UpdateResult =
  | { readonly status: 'updated'; readonly images: number }
  | { readonly status: 'absent' }
  | { readonly status: 'refused'; readonly problems: readonly string[] };

export type DicomServiceDeps = {
  readonly host: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly publish: Publish;
  /** The limit for all files together; 512 MB. A file beyond the limit is refused. */
  readonly maxBytes?: number;
  /** The limit for the body of one request; 100 MB. */
  readonly maxBodyBytes?: number;
  /** The number of changes that the feed keeps; 1,000,000. */
  readonly maxFeed?: number;
};

const MB = 1024 * 1024;

/** Returns an empty service, which keeps its images in memory. */
export function createDicomService(deps: DicomServiceDeps): DicomService {
  const { host, clock, random, publish, maxBytes = 512 * MB, maxBodyBytes = 100 * MB, maxFeed = 1_000_000 } = deps;
  const whenChanged = (entries: readonly FeedEntry[]) => publish(changesOf(entries, host));
  const store = new ImageStore({ now: () => clock.now(), whenChanged, maxBytes, maxFeed });
  const operations = createOperations({ clock, random });

  return {
    host,
    answer(request) {
      try {
        return answerRoute({ request, store, operations, random, maxBodyBytes });
      } catch (error) {
        const problem = 'The simulator has a mistake that this request brought to light.';
        return (error instanceof Refusal ? error : new Refusal(500, problem)).answer;
      }
    },
    store: (part10, { partition = DEFAULT_PARTITION } = {}) => resultOf(storeImage(part10, { store, partition })),
    delete({ partition = DEFAULT_PARTITION, ...of }) {
      const images = store.remove(partition, of).length;
      return images > 0 ? { status: 'deleted', images } : { status: 'absent' };
    },
    update({ studyUid, partition = DEFAULT_PARTITION }, changes) {
      try {
        const parsed = parseChanges(changes);
        if (parsed.problems.length > 0) return { status: 'refused', problems: parsed.problems };
        const images = store.revise(partition, studyUid, parsed.changes).length;
        return images > 0 ? { status: 'updated', images } : { status: 'absent' };
      } catch (error) {
        if (error instanceof Refusal) return { status: 'refused', problems: [error.message] };
        throw error;
      }
    },
    current(image) {
      const found = store.image(image);
      return found && { sequenceNumber: found.sequenceNumber };
    },
    get counts() {
      return store.counts();
    },
    clear() {
      operations.clear();
      store.clear();
    },
  };
}

function resultOf(result: Stored): StoreResult {
  const { problems } = result;
  if (result.status === 'stored') return { status: 'stored', sequenceNumber: result.entry.sequenceNumber, problems };
  return result.status === 'duplicate'
    ? { status: 'duplicate' }
    : { status: 'refused', reason: result.reason, problems };
}

function changesOf(entries: readonly FeedEntry[], host: string): DicomChange[] {
  return entries.map(({ name, ...entry }) => ({ service: 'dicom', host, ...name, ...entry }));
}
