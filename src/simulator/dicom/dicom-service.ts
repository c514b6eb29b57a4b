import type { Clock, Random } from '../../clock.js';
import type { Publish } from '../changes.js';
import { Refusal, type SimulatorAnswer, type SimulatorRequest } from '../http.js';
import { refuse } from './answers.js';
import type { FeedEntry } from './change-feed.js';
import { ImageStore } from './image-store.js';
import { createOperations, type Operations } from './operations.js';
import { answerRoute } from './routes.js';

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

/** The DICOM service of a workspace, API v2, in memory. Each change takes effect at once, and is then published. */
export class DicomService {
  readonly host: string;
  /** The images, for changes without HTTP. */
  readonly images: ImageStore;
  readonly #operations: Operations;
  readonly #context: { readonly random: Random; readonly maxBodyBytes: number };

  constructor(deps: DicomServiceDeps) {
    const { host, clock, random, publish, maxBytes = 512 * MB, maxBodyBytes = 100 * MB, maxFeed = 1_000_000 } = deps;
    const changeOf = ({ name, ...entry }: FeedEntry) => ({ service: 'dicom', host, ...name, ...entry }) as const;
    const whenChanged = (entries: readonly FeedEntry[]) => publish(entries.map(changeOf));
    this.host = host;
    this.images = new ImageStore({ now: () => clock.now(), whenChanged, maxBytes, maxFeed });
    this.#operations = createOperations({ clock, random });
    this.#context = { random, maxBodyBytes };
  }

  /** Answers a request; `request.path` is the path after `…/dicom/v2`. Never throws. */
  answer(request: SimulatorRequest): SimulatorAnswer {
    try {
      return answerRoute({ request, store: this.images, operations: this.#operations, ...this.#context });
    } catch (error) {
      const problem = 'The simulator has a mistake that this request brought to light.';
      return (error instanceof Refusal ? error : refuse(500, problem)).answer;
    }
  }

  get counts() {
    return this.images.counts();
  }

  /** Removes everything. Sequence numbers continue, so that a new event never looks like an earlier one. */
  clear(): void {
    this.#operations.clear();
    this.images.clear();
  }
}
