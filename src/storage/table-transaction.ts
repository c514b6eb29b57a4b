import { randomUUID } from 'node:crypto';
import { createHttpHeaders, type PipelineResponse } from '@azure/core-rest-pipeline';
import type { Operation, Row } from './table-store.js';

// A transaction in HTTP: multipart in multipart, with a request in each part. The SDK runs a pipeline of policies for
// every operation, which takes three times the CPU, and sends no etag with a delete.

const HEADERS = {
  accept: 'application/json',
  'x-ms-version': '2019-02-02',
  dataserviceversion: '3.0',
  maxdataserviceversion: '3.0;NetFx',
};
const PART = 'content-type: application/http\r\ncontent-transfer-encoding: binary\r\n\r\n';
const JSON_BODY =
  'Content-Type: application/json\r\nAccept: application/json;odata=minimalmetadata\r\nDataServiceVersion: 3.0\r\n';
const NO_BODY = 'Accept: application/json;odata=minimalmetadata\r\nDataServiceVersion: 3.0\r\n';
const LINE_ENDS = /[\u2028\u2029]/g;
const INT32 = 2 ** 31;

/** Returns body and headers of a transaction. `tableUrl`: the URL of the table, without a query. */
export function transactionOf(tableUrl: string, partition: string, operations: readonly Operation[]) {
  const id = randomUUID();
  const boundary = `--changeset_${id}`;
  let body = `--batch_${id}\r\ncontent-type: multipart/mixed; boundary=changeset_${id}\r\n\r\n`;
  for (const operation of operations) body += `${boundary}\r\n${PART}${requestOf(tableUrl, partition, operation)}\r\n`;
  body += `${boundary}--\r\n--batch_${id}--\r\n`;
  // JSON may contain these two characters, but Azurite cannot read a transaction with them.
  if (LINE_ENDS.test(body)) body = body.replace(LINE_ENDS, (end) => `\\u${end.charCodeAt(0).toString(16)}`);
  return { body, headers: createHttpHeaders({ ...HEADERS, 'content-type': `multipart/mixed; boundary=batch_${id}` }) };
}

function requestOf(tableUrl: string, partition: string, operation: Operation): string {
  const { kind, key } = operation;
  if (kind === 'insert') {
    return `POST ${tableUrl} HTTP/1.1\r\n${JSON_BODY}Prefer: return-no-content\r\n\r\n${entityOf(partition, key, operation.row)}`;
  }
  const url = `${tableUrl}(PartitionKey='${quoted(partition)}',RowKey='${quoted(key)}')`;
  if (kind === 'delete') return `DELETE ${url} HTTP/1.1\r\n${NO_BODY}If-Match: ${operation.etag ?? '*'}\r\n\r\n`;
  const verb = kind === 'replace' ? 'PUT' : 'PATCH';
  const condition = kind === 'upsert' ? '' : `If-Match: ${operation.etag}\r\n`;
  return `${verb} ${url} HTTP/1.1\r\n${JSON_BODY}${condition}\r\n${entityOf(partition, key, operation.row)}`;
}

function quoted(key: string): string {
  return encodeURIComponent(key.replaceAll("'", "''"));
}

function entityOf(partition: string, key: string, row: Row): string {
  const entity: Record<string, unknown> = { PartitionKey: partition, RowKey: key };
  for (const name in row) {
    const value = row[name];
    if (value === undefined) continue;
    entity[name] = value;
    if (typeof value === 'number' && !isInt32(value)) entity[`${name}@odata.type`] = 'Edm.Double';
  }
  return JSON.stringify(entity);
}

/**
 * Returns whether storage takes `value` without a type. Storage reads whole numbers as Int32, and refuses larger ones.
 */
export function isInt32(value: number): boolean {
  return Number.isInteger(value) && value >= -INT32 && value < INT32;
}

/** The answers to all operations, or the one error of the transaction, in the form of the SDK's errors. */
type TransactionAnswer =
  | { kind: 'done'; etags: string[] }
  | { kind: 'failed'; error: { statusCode: number; code: string | undefined; message: string } };

/** Returns the etags of the operations, in their order, or the one error of the transaction. Never throws. */
export function answerOf({ status, bodyAsText }: PipelineResponse): TransactionAnswer {
  const text = bodyAsText ?? '';
  if (status < 200 || status > 299) return failure(status, text);
  const etags: string[] = [];
  for (const part of text.split('--changesetresponse_').slice(1)) {
    const partStatus = Number(/^HTTP\/1\.1 (\d{3})/m.exec(part)?.[1] ?? Number.NaN);
    if (Number.isNaN(partStatus)) continue; // the text after the last part
    if (partStatus > 299) return failure(partStatus, part);
    etags.push(/^ETag: *(.*?)\r?$/im.exec(part)?.[1] ?? '');
  }
  return { kind: 'done', etags };
}

/** Reads only the code of the error, and its message, whose start names the operation. */
function failure(statusCode: number, text: string): TransactionAnswer {
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
  return { kind: 'failed', error: { statusCode, code, message } };
}
