import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { type PauseAnswer, pauseBody, resumeBody } from '../api/workflows.js';
import { didYouMean, nearest } from '../nearest.js';
import type { Pause } from '../storage/pauses.js';
import { callerOf } from './caller.js';
import type { App } from './compose.js';
import type { FunctionApp } from './function-app.js';
import { httpError } from './http-error.js';
import { readBody } from './read-body.js';
import { serve } from './serve.js';

const MAX_CHARACTERS = 4096;
/** Another person's pause holds. */
const UNCHANGED = { unchanged: 1 };

type Deps = Pick<App, 'pauses' | 'actions' | 'workflows' | 'config' | 'clock' | 'telemetry'>;
type Request = Pick<HttpRequest, 'text' | 'headers' | 'params'>;

/**
 * Registers the pause and the resume of a workflow, for the level `admin`. All processes follow within 10 s (J13). The
 * reason of a pause is a person's text, so it is stored and shown, never logged.
 */
export function registerPauses(functions: FunctionApp, deps: Deps): void {
  serve(functions, 'pauseWorkflow', (request) => pause(request, deps));
  serve(functions, 'resumeWorkflow', (request) => resume(request, deps));
}

async function pause(request: Request, deps: Deps): Promise<HttpResponseInit> {
  const read = await readBody(request, { schema: pauseBody, maxCharacters: MAX_CHARACTERS });
  if (read.kind === 'wrong') return read.answer;
  const workflow = request.params.name ?? '';
  const known = deps.workflows.map(({ name }) => name);
  if (!known.includes(workflow)) return unknownWorkflow(workflow, known);
  const by = callerOf(request, deps);
  const { why } = read.value;
  const end = await deps.actions.begin({ what: 'pause', by, workflow, why });
  const since = deps.clock.now().toISOString();
  const paused = await deps.pauses.pause({ workflow, since, by, why });
  await end(paused?.by === by && paused.since === since ? { paused: 1 } : UNCHANGED);
  // Also logs a repeated request, because the answer to the first one may have been lost.
  if (paused) deps.telemetry.log('info', 'workflow-paused', { workflow, by });
  return answer(workflow, paused);
}

/** Takes also the name of a paused workflow that the app no longer has, because its jobs wait for the resume. */
async function resume(request: Request, deps: Deps): Promise<HttpResponseInit> {
  const read = await readBody(request, { schema: resumeBody, maxCharacters: MAX_CHARACTERS });
  if (read.kind === 'wrong') return read.answer;
  const workflow = request.params.name ?? '';
  const known = [...deps.workflows.map(({ name }) => name), ...(await deps.pauses.list()).map((one) => one.workflow)];
  if (!known.includes(workflow)) return unknownWorkflow(workflow, known);
  const by = callerOf(request, deps);
  const end = await deps.actions.begin({ what: 'resume', by, workflow });
  const paused = await deps.pauses.resume(workflow);
  await end(paused ? UNCHANGED : { resumed: 1 });
  if (!paused) deps.telemetry.log('info', 'workflow-resumed', { workflow, by });
  return answer(workflow, paused);
}

function answer(name: string, pause: Pause | undefined): HttpResponseInit {
  return { jsonBody: { name, paused: pausedOf(pause) } satisfies PauseAnswer };
}

/** Returns a pause as answers show it; null for a workflow that is not paused. */
export function pausedOf(pause: Pause | undefined): PauseAnswer['paused'] {
  return pause ? { since: pause.since, by: pause.by, why: pause.why } : null;
}

function unknownWorkflow(asked: string, known: readonly string[]): HttpResponseInit {
  const names = [...new Set(known)].sort().join(', ');
  return httpError(
    404,
    'no-such-workflow',
    `The app has no workflow of this name.${didYouMean(nearest(asked, known))} Its workflows: ${names}.`,
  );
}
