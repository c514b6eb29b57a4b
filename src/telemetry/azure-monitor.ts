import type { TokenCredential } from '@azure/identity';
import {
  type AzureMonitorExporterOptions,
  AzureMonitorLogExporter,
  AzureMonitorMetricExporter,
  AzureMonitorTraceExporter,
} from '@azure/monitor-opentelemetry-exporter';
import type { Destination } from './open-telemetry.js';

/**
 * Application Insights. What cannot be sent in a few tries is given up: nothing is written to a disk. The exporter takes
 * answers like 401 for a success, so each is looked at here.
 */
export function createAzureMonitor(
  connectionString: string,
  credential: TokenCredential | undefined,
  onFailure: (errorCode: string) => void,
): Destination {
  turnOffStatistics();
  const [, standIn] = STAND_IN.exec(connectionString) ?? [];
  const options: AzureMonitorExporterOptions = {
    connectionString,
    disableOfflineStorage: true,
    ...(credential && { credential }),
    ...(standIn !== undefined && { host: standIn, allowInsecureConnection: true }),
    additionalPolicies: [
      {
        position: 'perRetry',
        policy: {
          name: 'tellsFailures',
          async sendRequest(request, next) {
            const answer = await next(request);
            if (answer.status !== 200) onFailure(`http-${answer.status}`);
            return answer;
          },
        },
      },
    ],
  };
  return {
    spans: new AzureMonitorTraceExporter(options),
    metrics: new AzureMonitorMetricExporter(options),
    logs: new AzureMonitorLogExporter(options),
  };
}

/** On this machine, without TLS: the exporter itself would make https of it. */
const STAND_IN = /IngestionEndpoint=(http:\/\/(?:127\.0\.0\.1|localhost|\[::1\]):\d+)/i;

/** The exporter's own, to Microsoft, and a metric beside every batch of spans. It reads them from nowhere else. */
function turnOffStatistics(): void {
  process.env.APPLICATION_INSIGHTS_NO_STATSBEAT ??= 'true';
  process.env.APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED ??= 'true';
}
