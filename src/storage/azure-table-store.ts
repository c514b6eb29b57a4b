import type { PipelineResponse } from '@azure/core-rest-pipeline';
import { isRowAbsent, isTableGone, reasonOf, toStorageError } from './azure-errors.js';
import { createStorageHttp, requiredDateOf, type StorageHttp, type StorageRequest } from './azure-http.js';
import { commitTransaction } from './azure-table-commit.js';
import { type Entity, storedOf } from './azure-table-entity.js';
import { filterOf, namesFilter } from './azure-table-filter.js';
import type { StorageConnection } from './storage-connection.js';
import { checkCommit, checkQuery, checkTableName } from './table-rules.js';
import { type Page, type Place, type Query, type Read, StorageError, type TableStore } from './table-store.js';
import { errorOf, isError, rowPathOf, type TableError } from './table-transaction.js';

const CONTINUATION = 'x-ms-continuation-';
const JSON_BODY = { 'content-type': 'application/json', prefer: 'return-no-content' };

/** Returns Table Storage. No request is repeated: the caller decides what a failed call means. */
export function createAzureTableStore(connection: StorageConnection<'table'>): TableStore {
  const http = createStorageHttp(connection, 'table');
  return {
    async commit(table, partition, operations, signal) {
      checkCommit(table, partition, operations);
      return commitTransaction(http, { table, partition, operations, signal });
    },
    read: (table, partition, key, signal) => readRow({ http, signal }, { table, partition }, key),
    query: (table, query, signal) => queryRows({ http, signal }, table, query),
    create: (table, signal) => createTable({ http, signal }, table),
    drop: (table, signal) => dropTable({ http, signal }, table),
    list: (prefix, signal) => listTables({ http, signal }, prefix),
  };
}

type Call = { readonly http: StorageHttp; readonly signal: AbortSignal | undefined };

async function readRow(call: Call, place: Place, key: string): Promise<Read> {
  checkTableName(place.table);
  const doing = 'read a row';
  const { response, error } = await send(call, doing, () => ({ method: 'GET', path: rowPathOf(place, key) }));
  if (error && !isRowAbsent(error) && !isTableGone(error)) throw toStorageError(error, doing);
  const stored = error ? undefined : storedOf(parsed<Entity>(response));
  return { stored, now: requiredDateOf(response) };
}

async function queryRows(call: Call, table: string, query: Query): Promise<Page> {
  checkTableName(table);
  checkQuery(query);
  const doing = 'answer a query';
  const { response, error } = await send(call, doing, () => {
    return { method: 'GET', path: `/${table}()`, query: searchOf(query) };
  });
  if (error && !isTableGone(error)) throw toStorageError(error, doing);
  const rows = error ? [] : listIn<Entity>(response).map(storedOf);
  return { rows, next: nextOf(response), now: requiredDateOf(response) };
}

async function createTable(call: Call, table: string): Promise<'ready' | 'busy'> {
  checkTableName(table);
  const doing = 'create a table';
  const body = JSON.stringify({ TableName: table });
  const { error } = await send(call, doing, () => ({ method: 'POST', path: '/Tables', headers: JSON_BODY, body }));
  if (!error || reasonOf(error) === 'TableAlreadyExists') return 'ready';
  if (reasonOf(error) === 'TableBeingDeleted') return 'busy';
  throw toStorageError(error, doing);
}

async function dropTable(call: Call, table: string): Promise<void> {
  checkTableName(table);
  const doing = 'drop a table';
  const { error } = await send(call, doing, () => ({ method: 'DELETE', path: `/Tables('${table}')` }));
  if (error && error.statusCode !== 404 && !isTableGone(error)) throw toStorageError(error, doing);
}

async function listTables(call: Call, prefix: string): Promise<string[]> {
  const doing = 'list the tables';
  const filter = prefix === '' ? '' : `$filter=${encodeURIComponent(namesFilter(prefix))}`;
  const names: string[] = [];
  for (let query: string | undefined = filter; query !== undefined; ) {
    const request = { method: 'GET', path: '/Tables', query } as const;
    const { response, error }: Answer = await send(call, doing, () => request);
    if (error) throw toStorageError(error, doing);
    for (const { TableName } of listIn<{ TableName: string }>(response)) names.push(TableName);
    const next = response.headers.get(`${CONTINUATION}nexttablename`);
    query = next && [filter, `NextTableName=${encodeURIComponent(next)}`].filter((part) => part !== '').join('&');
  }
  return names.sort();
}

type Answer = { readonly response: PipelineResponse; readonly error: TableError | undefined };

/** @throws StorageError if there is no answer, or `request` throws because a key holds half a surrogate pair */
async function send({ http, signal }: Call, doing: string, request: () => StorageRequest): Promise<Answer> {
  try {
    const response = await http.send(request(), signal);
    return { response, error: isError(response) ? errorOf(response) : undefined };
  } catch (error) {
    throw toStorageError(error, doing);
  }
}

/** @throws StorageError if the answer is no JSON object */
function parsed<T extends object>({ bodyAsText }: PipelineResponse): T {
  try {
    const value: unknown = JSON.parse(bodyAsText ?? '');
    if (typeof value === 'object' && value !== null) return value as T;
  } catch {
    // The same as another value.
  }
  throw new StorageError('garbled', 'Storage answered with something else than a JSON object.');
}

function listIn<T>(response: PipelineResponse): readonly T[] {
  const { value } = parsed<{ value?: readonly T[] }>(response);
  if (!Array.isArray(value)) throw new StorageError('garbled', 'Storage answered without a list.');
  return value;
}

function searchOf({ page, ...query }: Query): string {
  const filter = filterOf(query);
  const { nextPartitionKey, nextRowKey } = page === undefined ? ({} as Next) : decodeToken(page);
  const all = {
    $top: String(query.limit),
    $filter: filter,
    NextPartitionKey: nextPartitionKey,
    NextRowKey: nextRowKey,
  };
  return Object.entries(all)
    .flatMap(([name, value]) => (value ? [`${name}=${encodeURIComponent(value)}`] : []))
    .join('&');
}

/** The row at which the next page begins, as storage names it. */
type Next = { readonly nextPartitionKey?: string; readonly nextRowKey?: string };

/** Returns the token of the next page. */
function nextOf({ headers }: PipelineResponse): string | undefined {
  const nextPartitionKey = headers.get(`${CONTINUATION}nextpartitionkey`);
  const nextRowKey = headers.get(`${CONTINUATION}nextrowkey`);
  if (!nextPartitionKey) return undefined;
  return Buffer.from(JSON.stringify({ nextPartitionKey, ...(nextRowKey && { nextRowKey }) })).toString('base64');
}

/** @throws StorageError if the token is not one of `nextOf` */
function decodeToken(page: string): Next {
  try {
    return JSON.parse(Buffer.from(page, 'base64').toString()) as Next;
  } catch {
    throw new StorageError('unexpected', 'The token of a page is not readable.');
  }
}
