import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { type PauseAnswer, pauseBody, resumeBody, type WorkflowList, type WorkflowStatus } from '../api/workflows.js';
import { workflowHourOf } from '../instances/hour.js';
import type { Seen } from '../instances/row.js';
import { didYouMean, nearest } from '../nearest.js';
import type { Pause } from '../storage/pauses.js';
import type { Workflow } from '../workflow.js';
import { callerIdOf } from './caller.js';
import type { App } from './compose.js';
import { readBody } from './read-body.js';
import { type FunctionApp, httpError, serve } from './serve.js';

const MAX_CHARACTERS = 4096;
/** The counts of an action that has changed nothing, because the state that another person has set holds. */
const UNCHANGED = { unchanged: 1 };

type Deps = Pick<App, 'pauses' | 'actions' | 'workflows' | 'instances' | 'config' | 'clock' | 'telemetry'>;
type Request = Pick<HttpRequest, 'text' | 'headers' | 'params'>;

/**
 * Registers `workflows`: each workflow of the app, with its numbers of the last hour in all instances. Also registers the
 * pause and the resume of a workflow, for the level `admin`: all processes follow within 10 s (J13). The reason of a
 * pause is a person's text, so it is stored and shown, never logged.
 */
export function registerWorkflows(functions: FunctionApp, deps: Deps): void {
  serve(functions, 'workflows', () => list(deps));
  serve(functions, 'pauseWorkflow', (request) => pause(request, deps));
  serve(functions, 'resumeWorkflow', (request) => resume(request, deps));
}

async function list({ clock, workflows, instances, pauses }: Deps): Promise<HttpResponseInit> {
  const [seen, pausedNow] = await Promise.all([instances.all(), pauses.list()]);
  const now = clock.now();
  const listed = workflows.map((workflow) => {
    const pause = pausedNow.find((one) => one.workflow === workflow.name);
    return { ...statusOf(workflow, seen, now), paused: pausedOf(pause) };
  });
  return { jsonBody: { workflows: listed } satisfies WorkflowList };
}

function statusOf(workflow: Workflow, seen: readonly Seen[], now: Date): Omit<WorkflowStatus, 'paused'> {
  const { name, on, ordering, timeoutMs, retry, concurrency } = workflow;
  const hours = seen.map(({ hour }) => hour);
  return {
    name,
    on: on.map(textOf),
    ordering,
    timeoutSeconds: timeoutMs / 1000,
    maxTries: retry.tries,
    concurrency,
    lastHour: workflowHourOf(name, hours, now),
    circuits: seen.flatMap(({ id, circuits }) =>
      circuits
        .filter((circuit) => circuit.workflow === name)
        .map(({ workflow: _, ...circuit }) => ({ instance: id, ...circuit })),
    ),
  };
}

/** Returns a selector in words: `fhir Patient,Observation created`, or `dicom created,deleted`. */
function textOf({ service, resourceTypes, changes }: Workflow['on'][number]): string {
  const types = service === 'dicom' ? [] : [resourceTypes === '*' ? '*' : resourceTypes.join(',')];
  return [service, ...types, changes.join(',')].join(' ');
}

async function pause(request: Request, deps: Deps): Promise<HttpResponseInit> {
  const read = await readBody(request, { schema: pauseBody, maxCharacters: MAX_CHARACTERS });
  if (read.kind === 'wrong') return read.answer;
  const workflow = request.params.name ?? '';
  const known = deps.workflows.map(({ name }) => name);
  if (!known.includes(workflow)) return unknownWorkflow(workflow, known);
  const by = callerIdOf(request, deps);
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
  const by = callerIdOf(request, deps);
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
function pausedOf(pause: Pause | undefined): PauseAnswer['paused'] {
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
