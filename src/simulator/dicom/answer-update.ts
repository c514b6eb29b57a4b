import { mediaTypeOf } from '../../media-type.js';
import type { SimulatorAnswer } from '../http.js';
import { commentsOf } from './answer-store.js';
import { answerJson, refuse } from './answers.js';
import type { Call } from './call.js';
import type { Operation } from './operations.js';
import { parseUpdate } from './study-update.js';

/** Begins a bulk update. The `href` of the answer is the URL of its state. */
export function answerUpdate({ request, store, partition, operations }: Call): SimulatorAnswer {
  const type = mediaTypeOf(request.headers.get('content-type'));
  if (type !== '' && type !== 'application/json') {
    return refuse(415, `The specified content type '${type}' is not supported: application/json is.`);
  }
  const update = parseUpdate(request.body);
  if (update.kind === 'malformed') return refuse(400, update.message);
  if (update.kind === 'refused') return answerJson(400, commentsOf(update.problems));
  const running = operations.running();
  if (running) return refuse(409, `There is already an active update operation with ID '${running.id}'.`);
  const { id } = operations.start(
    update.studyUids,
    (studyUid) => store.revise(partition, studyUid, update.changes).length,
  );
  const href = `${request.base}/operations/${id}`;
  return answerJson(202, { id, href }, { location: href });
}

export function answerOperation({ request, operations, params }: Call): SimulatorAnswer {
  const id = (params.operation ?? '').replaceAll('-', '').toLowerCase();
  const operation = operations.get(id);
  if (!operation) return refuse(404, `There is no operation '${params.operation}'.`);
  const isRunning = operation.state === 'running';
  return answerJson(
    isRunning ? 202 : 200,
    describe(operation),
    isRunning ? { location: `${request.base}/operations/${id}` } : {},
  );
}

function describe({ id, createdAt, updatedAt, state, studies, studiesUpdated, imagesUpdated }: Operation) {
  return {
    operationId: id,
    type: 'update',
    createdTime: createdAt.toISOString(),
    lastUpdatedTime: updatedAt.toISOString(),
    status: state,
    percentComplete: state === 'succeeded' ? 100 : 0,
    ...(state === 'succeeded' && {
      results: {
        studyProcessed: studies,
        studyUpdated: studiesUpdated,
        studyFailed: 0,
        instanceUpdated: imagesUpdated,
      },
    }),
  };
}
