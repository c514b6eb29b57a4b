import { OTLPExporterBase } from '@opentelemetry/otlp-exporter-base';
import { convertLegacyHttpOptions, createOtlpHttpExportDelegate } from '@opentelemetry/otlp-exporter-base/node-http';
import {
  type IExporterMetricsHelper,
  type ISerializer,
  LogsExporterMetricsHelper,
  MetricsExporterMetricsHelper,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
  TraceExporterMetricsHelper,
} from '@opentelemetry/otlp-transformer';
import { AggregationTemporality, InstrumentType } from '@opentelemetry/sdk-metrics';
import type { Destination } from './open-telemetry.js';

/**
 * Returns the exporters to a collector (OTLP over HTTP, Protobuf). OTEL_EXPORTER_OTLP_* set headers, timeouts and
 * certificates.
 */
export function createOtlp(endpoint: string): Destination {
  const base = endpoint.replace(/\/$/, '');
  return {
    spans: createSender(`${base}/v1/traces`, 'TRACES', ProtobufTraceSerializer, TraceExporterMetricsHelper),
    logs: createSender(`${base}/v1/logs`, 'LOGS', ProtobufLogsSerializer, LogsExporterMetricsHelper),
    metrics: Object.assign(
      createSender(`${base}/v1/metrics`, 'METRICS', ProtobufMetricsSerializer, MetricsExporterMetricsHelper),
      {
        // The value of a gauge ends when the gauge is not recorded again: then another process measures.
        selectAggregationTemporality: (type: InstrumentType) =>
          type === InstrumentType.GAUGE ? AggregationTemporality.DELTA : AggregationTemporality.CUMULATIVE,
      },
    ),
  };
}

function createSender<Exported, Answer>(
  url: string,
  signal: 'TRACES' | 'LOGS' | 'METRICS',
  serializer: ISerializer<Exported, Answer>,
  helper: IExporterMetricsHelper<Exported>,
): OTLPExporterBase<Exported> {
  const options = convertLegacyHttpOptions({ url }, signal, '', { 'Content-Type': 'application/x-protobuf' });
  return new OTLPExporterBase(createOtlpHttpExportDelegate(options, serializer, 'otlp_http', helper, undefined));
}
