export type WriteMethod = 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What a resource was from one change to the next. */
export type Version = {
  readonly of: Stored;
  readonly number: number;
  /** Greater than that of every version written before, of whatever resource. */
  readonly sequence: number;
  readonly atMs: number;
  readonly method: WriteMethod;
  /** The resource as JSON, `meta` included; undefined where it was deleted. */
  readonly text: string | undefined;
  /** About what it takes in memory. */
  readonly bytes: number;
  /** No longer stored: hard deleted, or dropped because old versions took too much memory. */
  isGone: boolean;
};

export type Stored = {
  readonly resourceType: string;
  readonly id: string;
  current: Version;
  /** The first is the oldest that is kept. */
  older: Version[];
};
