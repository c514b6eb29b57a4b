import type { Random } from '../../clock.js';
import type { SimulatorRequest } from '../http.js';
import type { ImageStore } from './image-store.js';
import type { Operations } from './operations.js';

/** A request to one resource of the service, with all that its answer needs. */
export type Call = {
  readonly request: SimulatorRequest;
  readonly store: ImageStore;
  readonly operations: Operations;
  readonly random: Random;
  readonly maxBodyBytes: number;
  readonly partition: string;
  /** The URL of the partition's studies: links to images begin with it. */
  readonly studies: string;
  /** The values in the path, by their names in the route. */
  readonly params: Readonly<Partial<Record<'studyUid' | 'seriesUid' | 'instanceUid' | 'frames' | 'operation', string>>>;
};
