import {
  IdempotencyConfig,
  IdempotencyItemAlreadyExistsError,
  IdempotencyItemNotFoundError,
  makeIdempotent,
} from '@aws-lambda-powertools/idempotency';
import { BasePersistenceLayer, IdempotencyRecord } from '@aws-lambda-powertools/idempotency/persistence';
import { digest, shardOf } from '../src/digest.js';
import { parseEvent } from '../src/events/parse.js';
import type { Row, TableStore } from '../src/storage/table-store.js';
import type { HealthEvent } from '../src/workflow.js';

/** The same key fields as in our ledger. */
const KEY_PATH = '[id, source, type, host, resourceType, resourceId, version]';
const TABLE = 'idempotency';
const PARTITIONS = 8;

/** The library reads the remaining time from the context. Without a context, every call logs a warning. */
const CONTEXT = { getRemainingTimeInMillis: () => 15_000 } as NonNullable<IdempotencyConfig['lambdaContext']>;

/**
 * The pipeline of the peer library. Our parser parses each event of a batch, and a no-op handler handles each once. The
 * records are rows in the same kind of table as ours. As in the library's own DynamoDB layer, a record takes two
 * writes: an insert that fails if the row exists, and an update.
 */
export function createPowertools(tables: TableStore): { deliver(events: readonly unknown[]): Promise<void> } {
  const handle = makeIdempotent(async (_event: HealthEvent, _context: unknown) => {}, {
    persistenceStore: new TablePersistence(tables),
    config: new IdempotencyConfig({ eventKeyJmesPath: KEY_PATH, lambdaContext: CONTEXT }),
  });
  return {
    async deliver(events) {
      await Promise.all(events.map((raw) => handle(parseEvent(raw), CONTEXT)));
    },
  };
}

class TablePersistence extends BasePersistenceLayer {
  readonly #tables: TableStore;
  /** The etags of records in progress. */
  readonly #etags = new Map<string, string>();
  #made: Promise<unknown> | undefined;

  constructor(tables: TableStore) {
    super();
    this.#tables = tables;
  }

  protected async _putRecord(record: IdempotencyRecord): Promise<void> {
    this.#made ??= this.#tables.create(TABLE);
    await this.#made;
    const { partition, key } = placeOf(record.idempotencyKey);
    const written = await this.#tables.commit(TABLE, partition, [{ kind: 'insert', key, row: rowOf(record) }]);
    if (written.kind !== 'done') throw new IdempotencyItemAlreadyExistsError('It is there already.');
    this.#etags.set(key, written.etags[0] ?? '');
  }

  protected async _getRecord(idempotencyKey: string): Promise<IdempotencyRecord> {
    const { partition, key } = placeOf(idempotencyKey);
    const { stored } = await this.#tables.read(TABLE, partition, key);
    if (!stored) throw new IdempotencyItemNotFoundError();
    const { status, expiryTimestamp } = stored.row;
    return new IdempotencyRecord({
      idempotencyKey,
      status: status === 'COMPLETED' ? 'COMPLETED' : 'INPROGRESS',
      expiryTimestamp: Number(expiryTimestamp),
    });
  }

  protected async _updateRecord(record: IdempotencyRecord): Promise<void> {
    const { partition, key } = placeOf(record.idempotencyKey);
    const etag = this.#etags.get(key) ?? '';
    this.#etags.delete(key);
    const written = await this.#tables.commit(TABLE, partition, [{ kind: 'merge', key, row: rowOf(record), etag }]);
    if (written.kind !== 'done') throw new IdempotencyItemNotFoundError();
  }

  protected async _deleteRecord({ idempotencyKey }: IdempotencyRecord): Promise<void> {
    const { partition, key } = placeOf(idempotencyKey);
    await this.#tables.commit(TABLE, partition, [{ kind: 'delete', key }]);
  }
}

function placeOf(idempotencyKey: string): { partition: string; key: string } {
  const key = digest(idempotencyKey);
  return { partition: String(shardOf(key, PARTITIONS)), key };
}

function rowOf(record: IdempotencyRecord): Row {
  return {
    status: record.getStatus(),
    expiryTimestamp: record.expiryTimestamp ?? 0,
    inProgressExpiryTimestamp: record.inProgressExpiryTimestamp ?? 0,
    payloadHash: record.payloadHash ?? '',
  };
}
