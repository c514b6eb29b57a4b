import { mediaTypeOf } from '../../media-type.js';
import type { SimulatorAnswer } from '../http.js';
import { commentsOf } from './answer-store.js';
import { answerJson, type Call, refuse } from './answers.js';
import type { Operation } from './operations.js';
import { parseUpdate } from './study-update.js';

/** Begins a bulk update. The `href` of the answer is the URL of its state. */
export function answerUpdate({ request, store, partition, operations }: Call): SimulatorAnswer {
  const type = mediaTypeOf(request.headers.get('content-type'));
  if (type !== '' && type !== 'application/json') {
    throw refuse(415, `The specified content type '${type}' is not supported: application/json is.`);
  }
  const { studyUids, changes, problems } = parseUpdate(request.body);
  if (problems.length > 0) return answerJson(400, commentsOf(problems));
  const running = operations.running();
  if (running) throw refuse(409, `There is already an active update operation with ID '${running.id}'.`);
  const { id } = operations.start(studyUids, (studyUid) => store.revise(partition, studyUid, changes).length);
  const href = `${request.base}/operations/${id}`;
  return answerJson(202, { id, href }, { location: href });
}

/** Answers with the state of a bulk update: 202 while it runs, then 200 with its results. */
export function answerOperation({ request, operations, params }: Call): SimulatorAnswer {
  const id = (params.operation ?? '').replaceAll('-', '').toLowerCase();
  const operation = operations.get(id);
  if (!operation) throw refuse(404, `There is no operation '${params.operation}'.`);
  if (operation.results) return answerJson(200, { ...describe(operation), results: operation.results });
  return answerJson(202, describe(operation), { location: `${request.base}/operations/${id}` });
}

function describe({ id, createdAt, updatedAt, results }: Operation) {
  return {
    operationId: id,
    type: 'update',
    createdTime: createdAt.toISOString(),
    lastUpdatedTime: updatedAt.toISOString(),
    status: results ? 'succeeded' : 'running',
    percentComplete: results ? 100 : 0,
  };
}
