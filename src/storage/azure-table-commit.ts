import { createDefaultHttpClient, createPipelineRequest } from '@azure/core-rest-pipeline';
import type { TableClient } from '@azure/data-tables';
import { createDateListener, dateOf } from './azure-date.js';
import { abortedBy, isRowAbsent, reasonOf, statusOf, toStorageError } from './azure-errors.js';
import { entityOf } from './azure-table-entity.js';
import { type CommitAnswer, type Operation, StorageError } from './table-store.js';
import { answerOf, transactionOf } from './table-transaction.js';

/** One client, because its agent keeps connections open. */
const httpClient = createDefaultHttpClient();

type OperationOptions = Parameters<TableClient['deleteEntity']>[2] & object;

/** The operations of one commit: 1 to 100, on different rows of one partition. */
export type Transaction = {
  client: TableClient;
  partition: string;
  operations: readonly Operation[];
  signal: AbortSignal | undefined;
};

/** Writes the operations in one transaction. A single operation is a plain request, which is cheaper. */
export function commitTransaction(transaction: Transaction): Promise<CommitAnswer> {
  const [first] = transaction.operations;
  return transaction.operations.length === 1 && first !== undefined
    ? commitOne(transaction, first)
    : commitMany(transaction);
}

async function commitOne(transaction: Transaction, operation: Operation): Promise<CommitAnswer> {
  try {
    const date = createDateListener();
    const options = { onResponse: date.onResponse, ...abortedBy(transaction.signal) };
    const etag = await send(transaction, operation, options);
    return { kind: 'done', etags: [etag ?? ''], now: date.dateOrNone() };
  } catch (error) {
    return refusalOf(error, 0);
  }
}

async function send(
  { client, partition }: Transaction,
  operation: Operation,
  options: OperationOptions,
): Promise<string | undefined> {
  const { kind, key } = operation;
  switch (kind) {
    case 'insert':
      return (await client.createEntity(entityOf(partition, key, operation.row), options)).etag;
    case 'merge':
    case 'replace': {
      const mode = kind === 'merge' ? 'Merge' : 'Replace';
      const entity = entityOf(partition, key, operation.row);
      return (await client.updateEntity(entity, mode, { ...options, etag: operation.etag })).etag;
    }
    case 'upsert':
      return (await client.upsertEntity(entityOf(partition, key, operation.row), 'Merge', options)).etag;
    case 'delete':
      await client.deleteEntity(partition, key, { ...options, etag: operation.etag ?? '*' });
      return '';
    default:
      throw new TypeError(`unhandled ${JSON.stringify(operation satisfies never)}`);
  }
}

async function commitMany({ client, partition, operations, signal }: Transaction): Promise<CommitAnswer> {
  const [account = '', sas] = client.url.split('?');
  const base = account.replace(/\/$/, '');
  const request = createPipelineRequest({
    url: `${base}/$batch${sas ? `?${sas}` : ''}`,
    method: 'POST',
    allowInsecureConnection: base.startsWith('http:'),
    ...transactionOf(`${base}/${client.tableName}`, partition, operations),
    ...abortedBy(signal),
  });
  try {
    const response = await client.pipeline.sendRequest(httpClient, request);
    const answer = answerOf(response);
    if (answer.kind === 'failed') return refusalOf(answer.error, failingIndex(answer.error.message, operations.length));
    if (answer.etags.length !== operations.length) {
      throw new StorageError('garbled', 'The answer to a transaction does not match the number of its operations.');
    }
    return { ...answer, now: dateOf(response) };
  } catch (error) {
    throw toStorageError(error, 'write');
  }
}

/** The failed operation of a transaction is named only at the start of the message: `7:The specified entity …`. */
function failingIndex(message: string, operations: number): number | undefined {
  const index = Number(/^(\d{1,3}):/.exec(message)?.[1] ?? Number.NaN);
  return index < operations ? index : undefined;
}

/** @throws StorageError unless the error proves that nothing was written, and why. */
function refusalOf(error: unknown, index: number | undefined): CommitAnswer {
  const reason = reasonOf(error);
  if (reason === 'TableNotFound') return { kind: 'no-table' };
  if (reason === 'TableBeingDeleted') return { kind: 'table-busy' };
  const why = whyOf(error, reason);
  if (why === undefined || index === undefined) throw toStorageError(error, 'write');
  return { kind: 'refused', index, why };
}

function whyOf(error: unknown, reason: string | undefined): 'exists' | 'changed' | 'absent' | undefined {
  if (statusOf(error) === 412) return 'changed';
  if (reason === 'EntityAlreadyExists') return 'exists';
  return isRowAbsent(error) ? 'absent' : undefined;
}
