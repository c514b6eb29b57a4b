import { TableClient, type TransactionAction } from '@azure/data-tables';
import { systemClock } from '../src/clock.js';
import { createMemoryTableStore } from '../src/storage/memory-table-store.js';
import type { Operation, Row } from '../src/storage/table-store.js';
import { noop } from './apps/noop.js';
import { createEvents } from './fhir-events.js';
import { createMemoryApp } from './memory-app.js';

/**
 * The ledger's writes for one event: the row that claims the event, the entry that leads to it from the event's id, and
 * the change that settles the event.
 */
type Entities = { key: string; claim: Row; entry: { key: string; row: Row } | undefined; settle: Row };
type Lot = { table: string; partition: string; entities: readonly Entities[] };

const FULL_SIZE = 100;
const BATCH = 100;

/**
 * Writes the same rows as the pipeline in the fastest way that the SDK allows: transactions of 100, one after the other
 * in each partition, all partitions at once.
 * @returns events per second; an event counts when both of its writes are done
 */
export async function writeBareTransactions(storage: string, lots: readonly Lot[]): Promise<number> {
  const byPartition = Map.groupBy(lots, ({ partition }) => partition);
  const tableNames = new Set(lots.map(({ table }) => table));
  const clients = new Map([...tableNames].map((name) => [name, clientOf(storage, name)]));
  await Promise.all([...clients.values()].map((client) => client.createTable()));

  const startedAtMs = systemClock.monotonic();
  await Promise.all(
    [...byPartition.values()].map(async (ofPartition) => {
      for (const lot of ofPartition) await writeLot(clients.get(lot.table) as TableClient, lot);
    }),
  );
  const events = lots.reduce((sum, { entities }) => sum + entities.length, 0);
  return (events * 1000) / (systemClock.monotonic() - startedAtMs);
}

/** Groups the rows of `count` events into lots of 100 for each partition. Leaves out incomplete lots. */
export async function recordLots(events: { run: number; from?: number; count: number }): Promise<Lot[]> {
  const memory = createMemoryTableStore({ clock: systemClock });
  const found = new Map<string, { table: string; partition: string; claims: Map<string, Entities> }>();
  const { pipeline } = createMemoryApp({
    ...memory,
    commit(table, partition, operations, signal) {
      const ofPartition = found.get(`${table}/${partition}`) ?? { table, partition, claims: new Map() };
      found.set(`${table}/${partition}`, ofPartition);
      for (const operation of operations) record(ofPartition.claims, operation);
      return memory.commit(table, partition, operations, signal);
    },
  });
  const source = createEvents(events);
  for (let sent = 0; sent < events.count; sent += BATCH) {
    await pipeline.deliver(Array.from({ length: BATCH }, () => JSON.parse(source.next())));
  }
  return [...found.values()].flatMap(({ table, partition, claims }) => {
    const entities = [...claims.values()];
    const lots = Math.floor(entities.length / FULL_SIZE);
    return Array.from({ length: lots }, (_, at) => ({
      table,
      partition,
      entities: entities.slice(at * FULL_SIZE, (at + 1) * FULL_SIZE),
    }));
  });
}

function record(claims: Map<string, Entities>, operation: Operation): void {
  const { kind, key } = operation;
  if (kind === 'insert') claims.set(key, { key, claim: operation.row, entry: undefined, settle: {} });
  // The entry `!<id>.<change>` follows the record `<change>.<workflow>.0` in the same transaction.
  const [, change] = key.split('.');
  const claimed = claims.get(kind === 'upsert' ? `${change}.${noop.name}.0` : key);
  if (kind === 'merge' && claimed) claims.set(key, { ...claimed, settle: operation.row });
  if (kind === 'upsert' && claimed) claims.set(claimed.key, { ...claimed, entry: { key, row: operation.row } });
}

async function writeLot(client: TableClient, { partition, entities }: Lot): Promise<void> {
  const claims = entities.map(
    ({ key, claim }): TransactionAction => ['create', { ...claim, ...keysOf(partition, key) }],
  );
  const { subResponses } = await client.submitTransaction(claims);
  await client.submitTransaction(
    entities.flatMap(({ entry }): TransactionAction[] =>
      entry ? [['upsert', { ...entry.row, ...keysOf(partition, entry.key) }, 'Merge']] : [],
    ),
  );
  const settles = entities.map(({ key, settle }, at): TransactionAction => {
    const etag = subResponses[at]?.etag;
    return ['update', { ...settle, ...keysOf(partition, key) }, 'Merge', etag === undefined ? {} : { etag }];
  });
  await client.submitTransaction(settles);
}

function keysOf(partitionKey: string, rowKey: string) {
  return { partitionKey, rowKey };
}

function clientOf(storage: string, table: string): TableClient {
  return TableClient.fromConnectionString(storage, table, { allowInsecureConnection: true });
}
