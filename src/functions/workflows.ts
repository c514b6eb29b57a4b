import type { HttpResponseInit } from '@azure/functions';
import type { WorkflowList, WorkflowStatus } from '../api/workflows.js';
import { workflowHourOf } from '../instances/hour.js';
import type { Seen } from '../instances/row.js';
import type { Workflow } from '../workflow.js';
import type { App } from './compose.js';
import type { FunctionApp } from './function-app.js';
import { pausedOf } from './pauses.js';
import { serve } from './serve.js';

type Deps = Pick<App, 'clock' | 'workflows' | 'instances'> & { readonly pauses: Pick<App['pauses'], 'list'> };

/** Registers `workflows`: each workflow of the app, with its numbers of the last hour in all instances. */
export function registerWorkflows(functions: FunctionApp, deps: Deps): void {
  serve(functions, 'workflows', () => answer(deps));
}

async function answer({ clock, workflows, instances, pauses }: Deps): Promise<HttpResponseInit> {
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
