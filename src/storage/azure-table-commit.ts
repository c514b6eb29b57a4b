import { isRowAbsent, reasonOf, statusOf, toStorageError } from './azure-errors.js';
import { dateOf, type StorageHttp } from './azure-http.js';
import { type CommitAnswer, type Operation, type Place, StorageError } from './table-store.js';
import { answerOf, answerOfOne, requestOf, type TableError, transactionOf } from './table-transaction.js';

/** The operations of one commit: 1 to 100, on different rows of one partition. */
type Transaction = Place & {
  readonly operations: readonly Operation[];
  readonly signal: AbortSignal | undefined;
};

/** Writes the operations in one transaction. A single operation is a plain request, which is cheaper. */
export async function commitTransaction(http: StorageHttp, transaction: Transaction): Promise<CommitAnswer> {
  const { operations, signal } = transaction;
  const [first] = operations;
  const only = operations.length === 1 ? first : undefined;
  try {
    const request = only ? requestOf(transaction, only) : transactionOf(http.url, transaction, operations);
    const response = await http.send(request, signal);
    const answer = only ? answerOfOne(response) : answerOf(response);
    if (answer.kind === 'failed') return refusalOf(answer.error, only ? 0 : failingIndex(answer.error, operations));
    if (answer.etags.length !== operations.length) {
      throw new StorageError('garbled', 'The answer to a transaction does not match the number of its operations.');
    }
    return { ...answer, now: dateOf(response) };
  } catch (error) {
    throw toStorageError(error, 'write');
  }
}

/** The failed operation of a transaction is named only at the start of the message: `7:The specified entity …`. */
function failingIndex({ message }: TableError, operations: readonly Operation[]): number | undefined {
  const index = Number(/^(\d{1,3}):/.exec(message)?.[1] ?? Number.NaN);
  return index < operations.length ? index : undefined;
}

/** Returns why nothing was written. @throws StorageError if the error does not prove it */
function refusalOf(error: TableError, index: number | undefined): CommitAnswer {
  const reason = reasonOf(error);
  if (reason === 'TableNotFound') return { kind: 'no-table' };
  if (reason === 'TableBeingDeleted') return { kind: 'table-busy' };
  const why = whyOf(error, reason);
  if (why === undefined || index === undefined) throw toStorageError(error, 'write');
  return { kind: 'refused', index, why };
}

function whyOf(error: TableError, reason: string | undefined): 'exists' | 'changed' | 'absent' | undefined {
  if (statusOf(error) === 412) return 'changed';
  if (reason === 'EntityAlreadyExists') return 'exists';
  return isRowAbsent(error) ? 'absent' : undefined;
}
