import { digest, shardOf } from '../digest.js';
import { appliedOfRow, type KnownVersion, type KnownVersions, rowOfApplied } from '../events/order.js';
import { SHARDS } from './address.js';
import { APP_TABLES } from './app-tables.js';
import type { GroupCommit, WrittenOver } from './group-commit.js';
import type { Read, Row, TableStore } from './table-store.js';

/**
 * One row for each resource that a workflow with `ordering: 'latest'` has processed: the lease of the job that holds
 * the resource, the version that was started last, and the version that was applied last. One write takes the resource
 * and records which version starts (L1). One write applies a version and frees the resource. A version that fails frees
 * the resource and leaves the applied version as it was (L8). Keys are digests, because storage logs them.
 */
export type Watermark = KnownVersions & {
  /** Rises with every acquisition, and so with versions. A row of `tables` refuses a lower fence than its own (L3). */
  fence: number;
  /** '' if the resource is free. */
  owner: string;
  write: number;
  leaseMs: number;
};

/** A watermark as it was read. `ageMs`: its age by storage's clock. */
export type ReadWatermark = { mark: Watermark; etag: string; ageMs: number };

/** Reads and writes watermarks. `how.by` names the writer, so that it recognises its own write (C5). */
export type Watermarks = {
  read(key: WatermarkKey): Promise<ReadWatermark | undefined>;
  /** Inserts the row if `how` has no `etag`, else changes that version (L7). */
  write(key: WatermarkKey, mark: Watermark, how: WatermarkHow): Promise<WrittenOver<ReadWatermark>>;
};

type WatermarkHow = { etag?: string; untilMs: number; by: string };

/** The workflow and resource of a watermark. Storage gets a digest in place of `resource`. */
export type WatermarkKey = { workflow: string; resource: string };

const TABLE = APP_TABLES.watermarks;

export function createWatermarks({ tables, commit }: { tables: TableStore; commit: GroupCommit }): Watermarks {
  return {
    async read(key) {
      const { partition, key: rowKey } = placeOf(key);
      return decodeRead(await tables.read(TABLE, partition, rowKey));
    },
    async write(key, mark, { etag, untilMs, by }) {
      const { partition, key: rowKey } = placeOf(key);
      // C5: `by` names the writer, because the write that frees the resource has no owner and must be recognised too.
      const row = { ...encode(mark), by };
      const written = await commit.write(TABLE, partition, {
        operation:
          etag === undefined ? { kind: 'insert', key: rowKey, row } : { kind: 'merge', key: rowKey, row, etag },
        isOwn: (current) => current?.by === by && current?.write === mark.write,
        untilMs,
      });
      return written.kind === 'conflict' ? { kind: 'conflict', current: decodeRead(written.read) } : written;
    },
  };
}

function placeOf({ workflow, resource }: WatermarkKey): { partition: string; key: string } {
  const key = digest(resource);
  return { partition: `${workflow}.${shardOf(key, SHARDS)}`, key };
}

/** The columns of an absent version. */
const NOTHING: KnownVersion = { version: -1, time: undefined, eventKey: '', createdAt: undefined };

/** The columns of the started version have the prefix `started`. */
function encode({ applied = NOTHING, started = NOTHING, fence, owner, write, leaseMs }: Watermark): Row {
  const { version, time, eventKey, bornAt } = rowOfApplied(started);
  const columns = { startedVersion: version, startedTime: time, startedKey: eventKey, startedCreatedAt: bornAt };
  return { ...rowOfApplied(applied), ...columns, fence, owner, write, leaseMs };
}

/** A row of an earlier release has no columns for `started`. */
function startedOfRow({ startedVersion, startedTime, startedKey, startedCreatedAt }: Row): KnownVersion {
  const columns = { version: startedVersion, time: startedTime, eventKey: startedKey, bornAt: startedCreatedAt };
  return appliedOfRow(columns);
}

function undefinedIfAbsent(version: KnownVersion): KnownVersion | undefined {
  return version.version < 0 ? undefined : version;
}

function decodeRead({ stored, now }: Read): ReadWatermark | undefined {
  if (!stored) return undefined;
  const { row, etag, modifiedAt } = stored;
  return {
    mark: {
      applied: undefinedIfAbsent(appliedOfRow(row)),
      started: undefinedIfAbsent(startedOfRow(row)),
      fence: Number(row.fence ?? 0),
      owner: String(row.owner ?? ''),
      write: Number(row.write ?? 0),
      leaseMs: Number(row.leaseMs ?? 0),
    },
    etag,
    ageMs: now.getTime() - modifiedAt.getTime(),
  };
}
