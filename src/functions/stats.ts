import type { HttpResponseInit } from '@azure/functions';
import { errorCodeOf } from '../errors.js';
import { asStorageError } from '../storage/table-store.js';
import type { App } from './compose.js';
import type { FunctionApp } from './function-app.js';
import { serve } from './serve.js';

type Deps = Pick<App, 'instance' | 'telemetry' | 'pipeline' | 'countStorage'>;

/** Registers `stats`: the counters of this instance, and the rows and dead letters of all instances. */
export function registerStats(functions: FunctionApp, deps: Deps): void {
  serve(functions, 'stats', () => reportStats(deps));
}

/** If storage cannot be counted, answers 503 with the counters of this instance. */
async function reportStats({ instance, telemetry, pipeline, countStorage }: Deps): Promise<HttpResponseInit> {
  const thisInstance = {
    id: instance.id,
    since: instance.startedAt.toISOString(),
    counters: telemetry.counters,
    circuits: pipeline.circuits(),
  };
  try {
    return { jsonBody: { thisInstance, allInstances: await countStorage() } };
  } catch (error) {
    return { status: 503, jsonBody: { thisInstance, allInstances: { error: errorCodeOf(asStorageError(error)) } } };
  }
}
