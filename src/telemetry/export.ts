import type { TokenCredential } from '@azure/identity';
import type { Clock } from '../clock.js';
import type { TelemetrySettings } from './settings.js';
import type { Exporter } from './telemetry.js';

export type ExportDeps = {
  readonly clock: Clock;
  /** The name of this process, as in `stats`. */
  readonly instance: string;
  /** The identity for Application Insights; undefined if its key is enough. */
  readonly credential: TokenCredential | undefined;
  /** Reports failed sendings: the last code, and the number since the last report. Called at most once a minute. */
  readonly reportFailure: (errorCode: string, count: number) => void;
};

const FAILURES_EVERY_MS = 60_000;

/** Loads only the libraries that the settings need, and returns the exporter. */
export async function startExport(settings: TelemetrySettings, deps: ExportDeps): Promise<Exporter> {
  const { applicationInsights, otlpEndpoint } = settings;
  const [{ createOpenTelemetry }, azureMonitor, otlp] = await Promise.all([
    import('./open-telemetry.js'),
    applicationInsights && import('./azure-monitor.js'),
    otlpEndpoint === undefined ? undefined : import('./otlp.js'),
  ]);
  const onFailure = createFailureReport(deps);
  const destinations = [
    ...(applicationInsights && azureMonitor
      ? [azureMonitor.createAzureMonitor(applicationInsights.connectionString, deps.credential, onFailure)]
      : []),
    ...(otlpEndpoint !== undefined && otlp ? [otlp.createOtlp(otlpEndpoint)] : []),
  ];
  return createOpenTelemetry(settings, { clock: deps.clock, instance: deps.instance, destinations, onFailure });
}

function createFailureReport({ clock, reportFailure }: ExportDeps): (errorCode: string) => void {
  let count = 0;
  let reportedAtMs = Number.NEGATIVE_INFINITY;
  return (errorCode) => {
    count += 1;
    if (clock.monotonic() - reportedAtMs < FAILURES_EVERY_MS) return;
    reportedAtMs = clock.monotonic();
    reportFailure(errorCode, count);
    count = 0;
  };
}
