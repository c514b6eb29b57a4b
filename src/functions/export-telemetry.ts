import { type ExportDeps, startExport } from '../telemetry/export.js';
import type { App } from './compose.js';
import { createCredential } from './credential.js';
import type { FunctionApp } from './serve.js';

type Deps = Pick<App, 'config' | 'clock' | 'instance' | 'telemetry'>;

/** Sends telemetry to the destinations in the settings. The libraries are loaded after every function is registered. */
export function exportTelemetry(functions: Pick<FunctionApp, 'setup'>, deps: Deps): void {
  const { config, clock, instance, telemetry } = deps;
  if (!config.telemetry) return;
  // With this capability the host does not send the lines that functions log; host.json leaves out those that the app prints.
  functions.setup({ capabilities: { WorkerOpenTelemetryEnabled: true } });
  const identity = config.telemetry.applicationInsights?.identity;
  const credential = identity && createCredential({ kind: 'identity', credential: 'managedidentity', ...identity });
  const exportDeps: ExportDeps = {
    clock,
    instance: instance.id,
    credential,
    reportFailure: (errorCode, count) => telemetry.log('warn', 'export-failed', { errorCode, count }),
  };
  const { telemetry: settings } = config;
  telemetry.exportTo(new Promise<void>(clock.endOfTurn).then(() => startExport(settings, exportDeps)));
}
