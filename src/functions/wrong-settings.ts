import { ConfigError, readSetting, withoutValue } from '../config.js';
import { WorkflowError } from '../workflow.js';
import { EVENT_GRID_FUNCTIONS, eventGridTrigger } from './event-grid.js';
import { type FunctionApp, serve } from './serve.js';

const WRONG_WORKFLOWS = "Workflows share a name; the app's log names the files.";

/**
 * Registers functions that report wrong settings, or workflows that share a name: the health functions answer 503 with
 * the problems, and the webhook answers 500, so that Event Grid sends the events again. With the setting INGRESS `queue`
 * no function reads the queue, and the events wait there. If main threw instead, the host would report `Running`, and answer
 * 404 to every request.
 */
export function registerWrongSettings(functions: FunctionApp, error: ConfigError | WorkflowError): void {
  console.error(`error ${error.message}`); // the host's log may hold the values; answers and exceptions may not
  const expected = error instanceof ConfigError ? error.problems.map(withoutValue) : [WRONG_WORKFLOWS];
  for (const [name, state] of [
    ['healthLive', 'live'],
    ['healthReady', 'ready'],
  ] as const) {
    serve(functions, name, () => ({ status: 503, jsonBody: { [state]: false, problems: expected } }));
  }
  if (readSetting()('INGRESS') === 'queue') return;
  for (const name of EVENT_GRID_FUNCTIONS) {
    functions.generic(name, {
      trigger: eventGridTrigger,
      handler() {
        throw error instanceof ConfigError ? new ConfigError(expected) : new WorkflowError(WRONG_WORKFLOWS);
      },
    });
  }
}
