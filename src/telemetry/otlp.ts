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
  const metrics = createSender(base, 'METRICS', [ProtobufMetricsSerializer, MetricsExporterMetricsHelper]);
  return {
    spans: createSender(base, 'TRACES', [ProtobufTraceSerializer, TraceExporterMetricsHelper]),
    logs: createSender(base, 'LOGS', [ProtobufLogsSerializer, LogsExporterMetricsHelper]),
    metrics: Object.assign(metrics, {
      // The value of a gauge ends when the gauge is not recorded again: then another process measures.
      selectAggregationTemporality: (type: InstrumentType) =>
        type === InstrumentType.GAUGE ? AggregationTemporality.DELTA : AggregationTemporality.CUMULATIVE,
    }),
  };
}

type Parts<Exported, Answer> = readonly [ISerializer<Exported, Answer>, IExporterMetricsHelper<Exported>];

function createSender<Exported, Answer>(base: string, signal: string, [serializer, helper]: Parts<Exported, Answer>) {
  const url = `${base}/v1/${signal.toLowerCase()}`;
  const options = convertLegacyHttpOptions({ url }, signal, '', { 'Content-Type': 'application/x-protobuf' });
  return new OTLPExporterBase(createOtlpHttpExportDelegate(options, serializer, 'otlp_http', helper, undefined));
}
