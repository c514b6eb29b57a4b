import { TableClient, TableServiceClient } from '@azure/data-tables';
import { createDateListener } from './azure-date.js';
import { abortedBy, isRowAbsent, isTableGone, reasonOf, toStorageError } from './azure-errors.js';
import { commitTransaction } from './azure-table-commit.js';
import { storedOf } from './azure-table-entity.js';
import { filterOf, namesFilter } from './azure-table-filter.js';
import { asksForHttp, type StorageConnection } from './storage-connection.js';
import { checkCommit, checkQuery, checkTableName } from './table-rules.js';
import type { CommitAnswer, Page, Read, TableStore } from './table-store.js';

/** Clients are kept because creating one is expensive. Each day of the ledger needs a few. */
const MAX_CLIENTS = 200;

/** Returns Table Storage. The SDK's own retries are off: the caller decides what a failed call means. */
export function createAzureTableStore(connection: StorageConnection<'table'>): TableStore {
  const service = serviceClient(connection);
  const clients = new Map<string, TableClient>();

  function clientOf(table: string): TableClient {
    checkTableName(table);
    let client = clients.get(table);
    if (client === undefined) {
      client = tableClient(connection, table);
      clients.set(table, client);
      if (clients.size > MAX_CLIENTS) clients.delete(clients.keys().next().value ?? table);
    }
    return client;
  }

  return {
    async commit(table, partition, operations, signal): Promise<CommitAnswer> {
      checkCommit(table, partition, operations);
      return commitTransaction({ client: clientOf(table), partition, operations, signal });
    },

    async read(table, partition, key, signal): Promise<Read> {
      const client = clientOf(table);
      const date = createDateListener();
      try {
        const options = { onResponse: date.onResponse, ...abortedBy(signal) };
        return { stored: storedOf(await client.getEntity(partition, key, options)), now: date.now() };
      } catch (error) {
        if (isRowAbsent(error) || isTableGone(error)) return { stored: undefined, now: date.now() };
        throw toStorageError(error, 'read a row');
      }
    },

    async query(table, query, signal): Promise<Page> {
      checkQuery(query);
      const client = clientOf(table);
      const date = createDateListener();
      try {
        const filter = filterOf(query);
        const pages = client
          .listEntities({
            queryOptions: filter === undefined ? {} : { filter },
            onResponse: date.onResponse,
            ...abortedBy(signal),
          })
          .byPage({ maxPageSize: query.limit, ...(query.page !== undefined && { continuationToken: query.page }) });
        const { value } = await pages.next();
        return { rows: (value ?? []).map(storedOf), next: value?.continuationToken, now: date.now() };
      } catch (error) {
        if (isTableGone(error)) return { rows: [], next: undefined, now: date.now() };
        throw toStorageError(error, 'answer a query');
      }
    },

    async create(table, signal) {
      const client = clientOf(table);
      try {
        await client.createTable(abortedBy(signal));
        return 'ready';
      } catch (error) {
        if (reasonOf(error) === 'TableBeingDeleted') return 'busy';
        throw toStorageError(error, 'create a table');
      }
    },

    async drop(table, signal) {
      const client = clientOf(table);
      try {
        await client.deleteTable(abortedBy(signal));
      } catch (error) {
        if (!isTableGone(error)) throw toStorageError(error, 'drop a table');
      }
    },

    async list(prefix, signal) {
      const names: string[] = [];
      try {
        const queryOptions = prefix === '' ? {} : { filter: namesFilter(prefix) };
        for await (const { name } of service.listTables({ queryOptions, ...abortedBy(signal) })) {
          if (name !== undefined) names.push(name);
        }
      } catch (error) {
        throw toStorageError(error, 'list the tables');
      }
      return names.sort();
    },
  };
}

function tableClient(connection: StorageConnection<'table'>, table: string): TableClient {
  return connection.kind === 'identity'
    ? new TableClient(connection.tableServiceUri, table, connection.credential, clientOptions())
    : TableClient.fromConnectionString(connection.connectionString, table, clientOptions(connection.connectionString));
}

function serviceClient(connection: StorageConnection<'table'>): TableServiceClient {
  return connection.kind === 'identity'
    ? new TableServiceClient(connection.tableServiceUri, connection.credential, clientOptions())
    : TableServiceClient.fromConnectionString(connection.connectionString, clientOptions(connection.connectionString));
}

function clientOptions(connectionString = '') {
  return { retryOptions: { maxRetries: 0 }, allowInsecureConnection: asksForHttp(connectionString) };
}
