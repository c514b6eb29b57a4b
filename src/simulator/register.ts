import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import type { Random } from '../clock.js';
import type { App } from '../functions/compose.js';
import type { FunctionApp } from '../functions/serve.js';
import { createFetchPost } from './event-grid/send.js';
import { answerEvents } from './functions/events.js';
import { answerRuns } from './functions/runs.js';
import { answerDicom, answerFhir } from './functions/services.js';
import { answerSimulator } from './functions/state.js';
import { answerSubscriptions } from './functions/subscriptions.js';
import { findInProcess } from './in-process.js';
import { measureMachine } from './runs/machine-load.js';
import { createReconcileRun } from './runs/reconcile-run.js';
import { createSimulator, type Simulator, type SimulatorDeps } from './simulator.js';

const WORKSPACE = '/subscriptions/1/resourceGroups/simulator/providers/Microsoft.HealthcareApis/workspaces/simulator';
const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** Registers the functions under /api/simulator, and lets the app's readers reach the simulated services. */
export async function registerSimulator(functions: FunctionApp, app: App, random: Random): Promise<void> {
  const { config, readers } = app;
  const simulator = await createSimulator(depsOf(app, random));
  readers.answerInProcess(findInProcess(simulator));

  const register = (name: string, route: string, answer: (request: HttpRequest) => Promise<HttpResponseInit>) =>
    functions.http(name, {
      methods: [...METHODS],
      route: `simulator${route}`,
      authLevel: 'function',
      handler(request) {
        if (config.port === 0) learnOrigin(simulator, request.url);
        return answer(request);
      },
    });

  register('simulator', '', (request) => answerSimulator(request, simulator));
  register('simulatorEvents', '/events', async (request) => answerEvents(request, simulator));
  register('simulatorSubscriptions', '/subscriptions/{name?}', (request) => answerSubscriptions(request, simulator));
  register('simulatorRuns', '/runs/{id?}', (request) => answerRuns(request, simulator, random));
  register('simulatorFhir', '/fhir/{*path}', (request) => answerFhir(request, simulator));
  register('simulatorDicom', '/dicom/{*path}', (request) => answerDicom(request, simulator));
  functions.hook.appTerminate(() => simulator.stop());
}

function depsOf(app: App, random: Random): SimulatorDeps {
  const { config, clock, stores, waiting, workflows, deadLetterStores } = app;
  const { tables, workflowTables = tables, deadLetters, undelivered } = stores;
  return {
    clock,
    random,
    workflows,
    storage: { tables, workflowTables, waiting, deadLetters, undelivered },
    deadLetterStores,
    measureMachine,
    reconcile: createReconcileRun(app),
    post: createFetchPost(),
    eventQueue: stores.eventQueues?.events,
    source: config.workspaces?.[0] ?? WORKSPACE,
    isListing: config.workspaces !== undefined,
    origin: `http://127.0.0.1:${config.port}`,
  };
}

/** An app with port 0 does not know its port: a request shows it. Only a host name of this machine is believed. */
function learnOrigin(simulator: Simulator, url: string): void {
  const { hostname, port } = new URL(url);
  if (LOOPBACK.includes(hostname)) simulator.reachedAt(`http://127.0.0.1:${port}`);
}
