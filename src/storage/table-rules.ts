import { type Operation, type Query, type Row, StorageError } from './table-store.js';

const MAX_OPERATIONS = 100;
const MAX_TRANSACTION_BYTES = 4 * 1024 * 1024;
const MAX_ROW_BYTES = 1024 * 1024;
const MAX_PROPERTIES = 252;
const MAX_PAGE_ROWS = 1_000;
// Storage keeps strings as UTF-16: 1 KiB of a key and 64 KiB of a value are half as many characters.
const MAX_KEY_LENGTH = 512;
export const MAX_STRING_LENGTH = 32 * 1024;
/** The approximate size of one operation's envelope in a transaction: verb, URL, headers, boundaries. */
const ENVELOPE_BYTES = 600;

const tableName = /^[A-Za-z][A-Za-z0-9]{2,62}$/;
const propertyName = /^[\p{L}_][\p{L}\p{N}_]{0,254}$/u;
const plainKey = /^[ -"$-.0->@-[\]-~]*$/;
const forbiddenInKeys = /[/\\#?\p{Cc}]/u;
const reservedName = /^(odata.*|timestamp|etag|partitionkey|rowkey|__proto__)$/i;

// Names come from code and repeat, so an accepted name is not checked again.
const goodTables = new Set<string>();
const goodProperties = new Set<string>();
const MAX_GOOD_NAMES = 1_000;

/**
 * Checks the rules that do not depend on the rows in the table. Both implementations check first, so that a request
 * that cannot succeed is never sent, and simulations keep storage's limits.
 * @throws StorageError with isRejected
 */
export function checkCommit(table: string, partition: string, operations: readonly Operation[]): void {
  checkTableName(table);
  checkKey(partition);
  if (operations.length === 0) throw rejected('A transaction needs an operation.');
  if (operations.length > MAX_OPERATIONS) {
    throw rejected(`A transaction takes ${MAX_OPERATIONS} operations, not ${operations.length}.`);
  }
  checkEachRowOnce(operations);

  let characters = 0;
  for (const operation of operations) {
    checkKey(operation.key);
    if (operation.kind !== 'delete') characters += checkRow(operation.row);
  }
  // A character is at most three bytes of UTF-8, six where JSON escapes it: small transactions need no exact count.
  if (characters * 6 + operations.length * (ENVELOPE_BYTES + 9 * MAX_KEY_LENGTH) > MAX_TRANSACTION_BYTES) {
    checkBytes(partition, operations);
  }
}

/** @throws StorageError with isRejected if Table Storage does not allow the name. */
export function checkTableName(table: string): void {
  if (goodTables.has(table)) return;
  if (!tableName.test(table)) throw rejected('A table name is 3 to 63 letters and digits, a letter first.');
  keepName(goodTables, table);
}

/** @throws StorageError with isRejected if Table Storage does not allow the query. */
export function checkQuery({ partition, from, to, after, anyOf, limit }: Query): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE_ROWS) {
    throw rejected(`A page has 1 to ${MAX_PAGE_ROWS} rows, not ${limit}.`);
  }
  if (partition === undefined && (from ?? to ?? after) !== undefined)
    throw rejected('A range of keys needs a partition.');
  if (anyOf?.length === 0) throw rejected('anyOf must have a condition.');
  for (const condition of anyOf ?? []) {
    if (condition.is !== 'ge' && !goodProperties.has(condition.property)) checkPropertyName(condition.property);
  }
}

/** Returns an upper estimate of an operation's bytes in a transaction. */
function operationBytes(partition: string, operation: Operation): number {
  const keys = 6 * (partition.length + operation.key.length);
  return ENVELOPE_BYTES + keys + (operation.kind === 'delete' ? 0 : Buffer.byteLength(JSON.stringify(operation.row)));
}

function checkKey(key: string): void {
  if (key.length > MAX_KEY_LENGTH) throw rejected(`A key is at most ${MAX_KEY_LENGTH} characters long.`);
  if (plainKey.test(key)) return;
  if (forbiddenInKeys.test(key)) throw rejected('A key may not hold / \\ # ? or control characters.');
  if (!key.isWellFormed()) throw rejected('A key may not hold half a character.');
}

function checkEachRowOnce(operations: readonly Operation[]): void {
  if (operations.length === 1) return;
  const keys = new Set<string>();
  for (const { key } of operations) keys.add(key);
  if (keys.size < operations.length) throw rejected('A transaction may name a row once.');
}

/** Returns the number of characters that the row takes. */
function checkRow(row: Row): number {
  let characters = 0;
  let properties = 0;
  for (const name in row) {
    if (!goodProperties.has(name)) checkPropertyName(name);
    properties += 1;
    characters += name.length + checkValue(row[name]);
  }
  if (properties > MAX_PROPERTIES) throw rejected(`A row has at most ${MAX_PROPERTIES} properties.`);
  if (characters * 2 > MAX_ROW_BYTES) throw rejected('A row is at most 1 MiB long.', 413);
  return characters;
}

/** Returns the most characters that the value takes in JSON without escapes. */
function checkValue(value: unknown): number {
  switch (typeof value) {
    case 'string':
      if (value.length > MAX_STRING_LENGTH) throw rejected('A property is at most 64 KiB long.', 413);
      return value.length;
    case 'number':
      if (!Number.isFinite(value)) throw rejected('A number must be finite.');
      return 24;
    case 'boolean':
      return 5;
    default:
      throw rejected('A value is a string, a number or a boolean.');
  }
}

function checkPropertyName(name: string): void {
  if (!propertyName.test(name)) throw rejected('A property name is letters, digits and underscores, no digit first.');
  if (reservedName.test(name)) throw rejected('A property has a name that is reserved for storage.');
  keepName(goodProperties, name);
}

function keepName(good: Set<string>, name: string): void {
  if (good.size < MAX_GOOD_NAMES) good.add(name);
}

function checkBytes(partition: string, operations: readonly Operation[]): void {
  let bytes = 0;
  for (const operation of operations) bytes += operationBytes(partition, operation);
  if (bytes > MAX_TRANSACTION_BYTES) throw rejected('A transaction is at most 4 MiB long.', 413);
}

function rejected(message: string, status = 400): StorageError {
  return new StorageError(`http-${status}`, message, { isRejected: true });
}
