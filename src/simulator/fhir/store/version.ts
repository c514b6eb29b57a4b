/** The method of the request that made a version, as histories show it. */
export type WriteMethod = 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A resource as one change left it. */
export type Version = {
  readonly stored: Stored;
  readonly number: number;
  /** Greater than the sequence of every earlier version of any resource. */
  readonly sequence: number;
  readonly atMs: number;
  readonly method: WriteMethod;
  /** The resource as JSON, with `meta`; undefined for a deletion. */
  readonly text: string | undefined;
  /** About the memory that the version takes. */
  readonly bytes: number;
  /** No longer stored: hard deleted, or dropped because old versions took too much memory. */
  isGone: boolean;
};

/** A resource with all versions that are kept. `current` can be a deletion. */
export type Stored = {
  readonly resourceType: string;
  readonly id: string;
  current: Version;
  /** Earlier versions that are kept, the oldest first. */
  older: Version[];
};
