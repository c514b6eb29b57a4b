import { digest, shardOf } from '../digest.js';
import { type Applied, appliedOfRow, type Known, rowOfApplied } from '../events/order.js';
import { SHARDS } from './address.js';
import type { GroupCommit } from './group-commit.js';
import type { Read, Row, TableStore } from './table-store.js';

/**
 * One row for each resource that a workflow with `ordering: 'latest'` has seen: the lease of the job that works on the
 * resource, the newest version that was started, and the newest version that was applied. One write takes the resource
 * and says which version starts (L1, src/events/order.ts). One write applies a version and frees the resource. A version
 * that fails frees the resource and leaves the rest as it was.
 * Keys are digests: they end up in the logs of storage.
 */
export type Watermark = Known & {
  /** Rises with every acquisition, and so with the versions. A row that was written under a fence refuses a lower one. */
  fence: number;
  /** '' when it is free. */
  owner: string;
  write: number;
  leaseMs: number;
};

export type ReadWatermark = { mark: Watermark; etag: string; ageMs: number };

export type WatermarkWrite =
  | { kind: 'written'; etag: string }
  | { kind: 'conflict'; current: ReadWatermark | undefined }
  | { kind: 'table-busy' };

export type Watermarks = {
  read(of: WatermarkOf): Promise<ReadWatermark | undefined>;
  /** Inserts where there is no `etag`. */
  write(of: WatermarkOf, mark: Watermark, how: { etag?: string; untilMs: number; by: string }): Promise<WatermarkWrite>;
};

export type WatermarkOf = { workflow: string; resource: string };

const TABLE = 'watermarks';

export function createWatermarks(deps: { tables: TableStore; commit: GroupCommit }): Watermarks {
  const { tables, commit } = deps;
  return {
    async read(of) {
      const { partition, key } = placeOf(of);
      return decodeRead(await tables.read(TABLE, partition, key));
    },
    async write(of, mark, { etag, untilMs, by }) {
      const { partition, key } = placeOf(of);
      // `owner` says who has it, `by` who wrote it: the write that frees it must be recognised too.
      const row = { ...encode(mark), by };
      const written = await commit.write(TABLE, partition, {
        operation: etag === undefined ? { kind: 'insert', key, row } : { kind: 'merge', key, row, etag },
        isOwn: (current) => current?.by === by && current?.write === mark.write,
        untilMs,
      });
      return written.kind === 'conflict' ? { kind: 'conflict', current: decodeRead(written.read) } : written;
    },
  };
}

function placeOf({ workflow, resource }: WatermarkOf): { partition: string; key: string } {
  const key = digest(resource);
  return { partition: `${workflow}.${shardOf(key, SHARDS)}`, key };
}

/** Of a resource of which nothing has been applied, or started. */
const NOTHING: Applied = { version: -1, time: undefined, eventKey: '', createdAt: undefined };

function encode({ applied = NOTHING, started = NOTHING, fence, owner, write, leaseMs }: Watermark): Row {
  const { version, time, eventKey, bornAt } = rowOfApplied(started);
  const columns = { startedVersion: version, startedTime: time, startedKey: eventKey, startedCreatedAt: bornAt };
  return { ...rowOfApplied(applied), ...columns, fence, owner, write, leaseMs };
}

/** A row that an earlier release of the app has written has none of the columns of `started`. */
function startedOfRow({ startedVersion, startedTime, startedKey, startedCreatedAt }: Row): Applied {
  return appliedOfRow({
    version: startedVersion,
    time: startedTime,
    eventKey: startedKey,
    bornAt: startedCreatedAt,
  });
}

function unlessNothing(version: Applied): Applied | undefined {
  return version.version < 0 ? undefined : version;
}

function decodeRead({ stored, now }: Read): ReadWatermark | undefined {
  if (!stored) return undefined;
  const { row, etag, modifiedAt } = stored;
  return {
    mark: {
      applied: unlessNothing(appliedOfRow(row)),
      started: unlessNothing(startedOfRow(row)),
      fence: Number(row.fence ?? 0),
      owner: String(row.owner ?? ''),
      write: Number(row.write ?? 0),
      leaseMs: Number(row.leaseMs ?? 0),
    },
    etag,
    ageMs: now.getTime() - modifiedAt.getTime(),
  };
}
