import type { TokenCredential } from '@azure/identity';
import {
  type AzureMonitorExporterOptions,
  AzureMonitorLogExporter,
  AzureMonitorMetricExporter,
  AzureMonitorTraceExporter,
} from '@azure/monitor-opentelemetry-exporter';
import type { Destination } from './open-telemetry.js';

/**
 * Returns the exporters to Application Insights. Data that cannot be sent in a few attempts is dropped, and never
 * written to a disk. The exporter treats answers such as 401 as a success, so this code checks each answer.
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
          name: 'reportFailures',
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

/** An endpoint on this machine, without TLS. The exporter would change it to https. */
const STAND_IN = /IngestionEndpoint=(http:\/\/(?:127\.0\.0\.1|localhost|\[::1\]):\d+)/i;

/**
 * Turns off the exporter's own statistics for Microsoft, and its metric for every batch of spans. Only environment
 * variables can do that.
 */
function turnOffStatistics(): void {
  process.env.APPLICATION_INSIGHTS_NO_STATSBEAT ??= 'true';
  process.env.APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED ??= 'true';
}
