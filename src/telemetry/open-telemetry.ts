import { type Attributes, type Span as OtelSpan, ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api';
import { SeverityNumber } from '@opentelemetry/api-logs';
import { setGlobalErrorHandler } from '@opentelemetry/core';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider, type LogRecordExporter } from '@opentelemetry/sdk-logs';
import { MeterProvider, PeriodicExportingMetricReader, type PushMetricExporter } from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import { type Clock, endEarly } from '../clock.js';
import { createInstrument, createSums } from './instruments.js';
import { METRICS, type Metric, type MetricName } from './metrics.js';
import type { Sampling, TelemetrySettings } from './settings.js';
import type { Exporter, Fields, Span, SpanName } from './telemetry.js';

/** The exporters to one destination. */
export type Destination = {
  readonly spans: SpanExporter;
  readonly metrics: PushMetricExporter;
  readonly logs: LogRecordExporter;
};

export type OpenTelemetryDeps = {
  readonly clock: Clock;
  /** The name of this process, as in `stats`. */
  readonly instance: string;
  readonly destinations: readonly Destination[];
  /** Called for each failed sending. */
  onFailure(errorCode: string): void;
};

const METRICS_EVERY_MS = 60_000;
const SEND_MS = 10_000;
const STOP_MS = 3000;
/** A POST can have thousands of events; a trace of 50 is enough for an example. */
const MAX_CHILDREN = 50;
const SEVERITY = { info: SeverityNumber.INFO, warn: SeverityNumber.WARN, error: SeverityNumber.ERROR };
const TRACE_PARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/**
 * Returns the exporter to all destinations. The SDK's parts are combined here, without global registration and
 * instrumentation, so that no library can send data: spans of HTTP requests would contain URLs with resource ids.
 */
export function createOpenTelemetry(
  { sampling, serviceName }: Pick<TelemetrySettings, 'sampling' | 'serviceName'>,
  { clock, instance, destinations, onFailure }: OpenTelemetryDeps,
): Exporter {
  const resource = resourceFromAttributes({ 'service.name': serviceName, 'service.instance.id': instance });
  const meters = new MeterProvider({
    resource,
    readers: destinations.map(
      ({ metrics }) =>
        new PeriodicExportingMetricReader({
          exporter: metrics,
          exportIntervalMillis: METRICS_EVERY_MS,
          exportTimeoutMillis: SEND_MS,
        }),
    ),
  });
  const tracers = new BasicTracerProvider({
    resource,
    sampler: samplerOf(sampling),
    spanProcessors: destinations.map(({ spans }) => new BatchSpanProcessor(spans, { exportTimeoutMillis: SEND_MS })),
  });
  const loggers = new LoggerProvider({
    resource,
    processors: destinations.map(
      ({ logs }) => new BatchLogRecordProcessor({ exporter: logs, exportTimeoutMillis: SEND_MS }),
    ),
  });
  const providers = [tracers, meters, loggers];
  const flushes = new Map<(typeof providers)[number], Promise<void>>();
  setGlobalErrorHandler((error) => onFailure(codeOf(error))); // the default handler prints parts of the request

  const meter = meters.getMeter('ahds-events');
  const sums = createSums(clock);
  const instruments = Object.fromEntries(
    Object.entries<Metric>(METRICS).map(([name, metric]) => [name, createInstrument(meter, metric, sums)]),
  ) as Record<MetricName, (value: number, attributes: Attributes) => void>;
  const tracer = tracers.getTracer('ahds-events');
  const logger = loggers.getLogger('ahds-events');

  return {
    record(metric, value, attributes) {
      instruments[metric](value, attributes as Attributes);
    },
    log(level, what, { workflow }, line) {
      const attributes = workflow === undefined ? { what } : { what, workflow };
      logger.emit({ severityNumber: SEVERITY[level], severityText: level, body: line, attributes });
    },
    trace(name, traceParent, fields) {
      return started(name, fields, parentOf(traceParent));
    },
    flush() {
      sums.addAll();
      for (const provider of providers)
        flushes.set(
          provider,
          provider.forceFlush().catch(() => {}),
        );
    },
    async stop(withinMs = STOP_MS) {
      sums.addAll();
      // A shutdown during a flush would lose the data after the flush.
      const all = providers.map(async (provider) => {
        await flushes.get(provider);
        await provider.shutdown();
      });
      await endEarly<unknown>(() => Promise.allSettled(all), [(end) => clock.after(withinMs, () => end(undefined))]);
    },
  };

  function started(name: SpanName, fields: Fields = {}, parent = ROOT_CONTEXT): Span | undefined {
    const title = name === 'workflow' && fields.workflow ? `workflow ${fields.workflow}` : name;
    const span = tracer.startSpan(title, { attributes: attributesOf(fields) }, parent);
    return span.isRecording() ? spanOf(span) : undefined;
  }

  function spanOf(span: OtelSpan): Span {
    const context = trace.setSpan(ROOT_CONTEXT, span);
    let children = 0;
    return {
      child(name, fields) {
        children += 1;
        return children <= MAX_CHILDREN ? started(name, fields, context) : undefined;
      },
      end(fields) {
        if (fields) span.setAttributes(attributesOf(fields));
        if (fields?.errorCode) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end();
      },
    };
  }
}

function samplerOf({ followsHost, ratio }: Sampling) {
  const root = new TraceIdRatioBasedSampler(ratio);
  return followsHost ? new ParentBasedSampler({ root }) : root;
}

/** The host sends an empty `traceparent` if tracing is off. */
function parentOf(traceParent = '') {
  const [, traceId, spanId, flags = '00'] = TRACE_PARENT.exec(traceParent) ?? [];
  if (traceId === undefined || spanId === undefined) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & 1,
    isRemote: true,
  });
}

function attributesOf({ numbers: _, ...fields }: Fields): Attributes {
  return fields;
}

/** Returns the status or socket code of an exporter's error. Its message may quote an answer, so it is not used. */
function codeOf(error: unknown): string {
  const { code, statusCode } = Object(error) as { code?: unknown; statusCode?: unknown };
  const status = typeof statusCode === 'number' ? statusCode : code;
  if (typeof status === 'number') return `http-${status}`;
  return typeof status === 'string' && /^[A-Z_]{1,40}$/.test(status) ? status : 'not-sent';
}
