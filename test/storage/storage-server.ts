import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Service, StorageConnection } from '../../src/storage/storage-connection.js';

/** A server in place of storage that answers everything as the test says, to see what becomes of it. */
export type StorageServer = {
  connection: StorageConnection<Service>;
  requests: { method: string; url: string; body: string }[];
  answerWith(answer: (response: ServerResponse, request: IncomingMessage) => void): void;
  close(): Promise<void>;
};

export async function startStorageServer(): Promise<StorageServer> {
  const requests: StorageServer['requests'] = [];
  let answer: Parameters<StorageServer['answerWith']>[0] = (response) => response.writeHead(500).end();
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    requests.push({ method: request.method ?? '', url: request.url ?? '', body });
    answer(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/account`;

  return {
    connection: {
      kind: 'connection-string',
      connectionString: `DefaultEndpointsProtocol=http;AccountName=account;AccountKey=c2VjcmV0;TableEndpoint=${address};BlobEndpoint=${address};QueueEndpoint=${address}`,
    },
    requests,
    answerWith(next) {
      answer = next;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Starts a server for each test of a group. */
export function useStorageServer(): StorageServer {
  const server = {} as StorageServer;
  beforeEach(async () => {
    Object.assign(server, await startStorageServer());
  });
  afterEach(() => server.close());
  return server;
}

/** Answers as Table Storage does when it refuses a single request. */
export function tableError(status: number, code: string) {
  return (response: ServerResponse) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ 'odata.error': { code, message: { lang: 'en-US', value: `${code}.` } } }));
  };
}

/**
 * Answers as Table Storage does when it refuses a transaction: with the part that failed, and its index in the message.
 */
export function transactionError(status: number, code: string, message: string) {
  return (response: ServerResponse) => {
    const error = JSON.stringify({ 'odata.error': { code, message: { lang: 'en-US', value: message } } });
    response.writeHead(202, { 'content-type': 'multipart/mixed; boundary=batchresponse_1' });
    response.end(
      [
        '--batchresponse_1',
        'Content-Type: multipart/mixed; boundary=changesetresponse_1',
        '',
        '--changesetresponse_1',
        'Content-Type: application/http',
        'Content-Transfer-Encoding: binary',
        '',
        `HTTP/1.1 ${status} Refused`,
        'Content-Type: application/json;odata=minimalmetadata;streaming=true;charset=utf-8',
        '',
        error,
        '--changesetresponse_1--',
        '--batchresponse_1--',
        '',
      ].join('\r\n'),
    );
  };
}
