import { randomUUID } from 'node:crypto';
import type { PipelineResponse } from '@azure/core-rest-pipeline';
import type { StorageRequest } from './azure-http.js';
import { entityOf } from './azure-table-entity.js';
import type { Operation, Place } from './table-store.js';

const JSON_BODY = { 'content-type': 'application/json' };
/** The headers of an operation without a body, and of one with a body, in a transaction. */
const NO_BODY_PART = 'Accept: application/json;odata=minimalmetadata\r\nDataServiceVersion: 3.0\r\n';
const JSON_PART = `Content-Type: application/json\r\n${NO_BODY_PART}`;
const PART = 'content-type: application/http\r\ncontent-transfer-encoding: binary\r\n\r\n';
const LINE_ENDS = /[\u2028\u2029]/g;

/** Returns the path of one row, after the account's URL. */
export function rowPathOf({ table, partition }: Place, key: string): string {
  return `/${table}(PartitionKey='${quoted(partition)}',RowKey='${quoted(key)}')`;
}

/** Returns the request of a single operation, which is cheaper than a transaction. */
export function requestOf(place: Place, operation: Operation): StorageRequest {
  const { method, path, condition, body } = rowRequestOf(place, operation);
  const headers = {
    ...(body !== undefined && JSON_BODY),
    ...(operation.kind === 'insert' && { prefer: 'return-no-content' }),
    ...(condition !== undefined && { 'if-match': condition }),
  };
  return { method, path, headers, ...(body !== undefined && { body }) };
}

/**
 * Returns the request of a transaction: multipart in multipart, with a request in each part. `url`: of the account. The
 * SDK runs a pipeline of policies for every operation, and sends no etag with a delete.
 */
export function transactionOf(url: string, place: Place, operations: readonly Operation[]): StorageRequest {
  const id = randomUUID();
  const boundary = `--changeset_${id}`;
  let body = `--batch_${id}\r\ncontent-type: multipart/mixed; boundary=changeset_${id}\r\n\r\n`;
  for (const operation of operations)
    body += `${boundary}\r\n${PART}${partOf(url, rowRequestOf(place, operation))}\r\n`;
  body += `${boundary}--\r\n--batch_${id}--\r\n`;
  // JSON may contain these two characters, but Azurite cannot read a transaction with them.
  if (LINE_ENDS.test(body)) body = body.replace(LINE_ENDS, (end) => `\\u${end.charCodeAt(0).toString(16)}`);
  const headers = {
    accept: 'application/json',
    maxdataserviceversion: '3.0;NetFx',
    'content-type': `multipart/mixed; boundary=batch_${id}`,
  };
  return { method: 'POST', path: '/$batch', headers, body };
}

/** The request of one operation, alone or as a part of a transaction. */
type RowRequest = {
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  /** The etag that the row must have; undefined if it may have any. */
  readonly condition?: string;
  readonly body?: string;
};

function rowRequestOf(place: Place, operation: Operation): RowRequest {
  const { kind, key } = operation;
  if (kind === 'insert') {
    return { method: 'POST', path: `/${place.table}`, body: entityOf(place.partition, key, operation.row) };
  }
  const path = rowPathOf(place, key);
  if (kind === 'delete') return { method: 'DELETE', path, condition: operation.etag ?? '*' };
  const body = entityOf(place.partition, key, operation.row);
  if (kind === 'upsert') return { method: 'PATCH', path, body };
  return { method: kind === 'replace' ? 'PUT' : 'PATCH', path, condition: operation.etag, body };
}

function partOf(url: string, { method, path, condition, body }: RowRequest): string {
  const ifMatch = condition === undefined ? '' : `If-Match: ${condition}\r\n`;
  const prefer = method === 'POST' ? 'Prefer: return-no-content\r\n' : '';
  const headers = body === undefined ? NO_BODY_PART : JSON_PART;
  return `${method} ${url}${path} HTTP/1.1\r\n${headers}${prefer}${ifMatch}\r\n${body ?? ''}`;
}

function quoted(key: string): string {
  return encodeURIComponent(key.replaceAll("'", "''"));
}

/** The answers to all operations, or the one error of the request, in the form of the SDKs' errors. */
type WriteAnswer = { kind: 'done'; etags: string[] } | { kind: 'failed'; error: TableError };

export type TableError = { statusCode: number; code: string | undefined; message: string };

/** Returns the etag of a single operation, or its error. Never throws. */
export function answerOfOne(answer: PipelineResponse): WriteAnswer {
  if (isError(answer)) return { kind: 'failed', error: errorOf(answer) };
  return { kind: 'done', etags: [answer.headers.get('etag') ?? ''] };
}

/** Returns the etags of the operations of a transaction, in their order, or its one error. Never throws. */
export function answerOf(answer: PipelineResponse): WriteAnswer {
  if (isError(answer)) return { kind: 'failed', error: errorOf(answer) };
  const etags: string[] = [];
  for (const part of (answer.bodyAsText ?? '').split('--changesetresponse_').slice(1)) {
    const partStatus = Number(/^HTTP\/1\.1 (\d{3})/m.exec(part)?.[1] ?? Number.NaN);
    if (Number.isNaN(partStatus)) continue; // the text after the last part
    if (partStatus > 299) return { kind: 'failed', error: errorIn(partStatus, part) };
    etags.push(/^ETag: *(.*?)\r?$/im.exec(part)?.[1] ?? '');
  }
  return { kind: 'done', etags };
}

export function isError({ status }: PipelineResponse): boolean {
  return status < 200 || status > 299;
}

/** Returns the error of an answer as a whole. */
export function errorOf({ status, bodyAsText }: PipelineResponse): TableError {
  return errorIn(status, bodyAsText ?? '');
}

/** Reads only the code of the error, and its message, whose start names the operation. */
function errorIn(statusCode: number, text: string): TableError {
  const json = /\{.*\}/s.exec(text)?.[0];
  let code: string | undefined;
  let message = '';
  try {
    const error = (JSON.parse(json ?? '{}') as { 'odata.error'?: { code?: unknown; message?: { value?: unknown } } })[
      'odata.error'
    ];
    if (typeof error?.code === 'string') code = error.code;
    if (typeof error?.message?.value === 'string') message = error.message.value;
  } catch {
    // A proxy's page, or half an answer: the status is enough.
  }
  return { statusCode, code, message };
}
