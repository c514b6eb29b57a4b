import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { startService } from './stand-in.js';

/** The answer of a service to the read of one resource. */
export type OneAnswer = {
  readonly status: number;
  readonly resource?: object;
  readonly headers?: Record<string, string>;
};

export type Batch = {
  readonly paths: readonly string[];
  readonly headers: IncomingMessage['headers'];
  /** The body of the bundle. */
  readonly body: string;
};

type BatchAnswer = (response: ServerResponse, answers: readonly OneAnswer[], batch: Batch) => void;

/** A FHIR service over HTTP that answers reads and batches of reads with `read`. `answerBatch` replaces its bundles. */
export async function startBatchService(read: (path: string) => OneAnswer, answerBatch: BatchAnswer = writeBatch) {
  const singles: string[] = [];
  const batches: Batch[] = [];
  const service = await startService(async (request, response) => {
    const { method, url = '', headers } = request;
    if (method === 'POST') {
      const body = await text(request);
      const { entry } = JSON.parse(body) as { entry: { request: { url: string } }[] };
      const batch = { paths: entry.map((one) => one.request.url), headers, body };
      batches.push(batch);
      return answerBatch(response, batch.paths.map(read), batch);
    }
    singles.push(url.slice(1));
    const { status, resource, headers: own } = read(url.slice(1));
    response.writeHead(status, own).end(resource === undefined ? '' : JSON.stringify(resource));
  });
  return { ...service, singles, batches, paths: () => batches.map(({ paths }) => paths) };
}

/** Answers the first batches in these ways, and later ones with their resources. */
export function firstBatches(...answers: BatchAnswer[]): BatchAnswer {
  let count = 0;
  return (response, all, batch) => (answers[count++] ?? writeBatch)(response, all, batch);
}

export function writeBatch(response: ServerResponse, answers: readonly OneAnswer[]): void {
  response.writeHead(200, Object.assign({}, ...answers.map(({ headers }) => headers))).end(batchText(answers));
}

export function batchText(answers: readonly OneAnswer[]): string {
  const entry = answers.map(({ status, resource }) => ({
    ...(resource && { resource }),
    response: { status: `${status}` },
  }));
  return JSON.stringify({ resourceType: 'Bundle', id: 'b1', type: 'batch-response', entry });
}

/** Answers the read of any Patient. */
export function patientAt(path: string): OneAnswer {
  const [resourceType, id, , versionId = '1'] = path.split('/');
  return { status: 200, resource: { resourceType, id, meta: { versionId }, birthDate: '1970-02-03' } };
}
