import type { Attributes } from '@opentelemetry/api';
import { SeverityNumber } from '@opentelemetry/api-logs';
import { setGlobalErrorHandler } from '@opentelemetry/core';
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources';
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
import { createInstruments, createSums } from './instruments.js';
import type { Sampling, TelemetrySettings } from './settings.js';
import { parentOf, startSpan } from './spans.js';
import type { Exporter } from './telemetry.js';

/** The exporters to one destination. */
export type Destination = {
  readonly spans: SpanExporter;
  readonly metrics: PushMetricExporter;
  readonly logs: LogRecordExporter;
};

type OpenTelemetryDeps = {
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
const SEVERITY = { info: SeverityNumber.INFO, warn: SeverityNumber.WARN, error: SeverityNumber.ERROR };

/**
 * Returns the exporter to all destinations. The SDK's parts are combined here, without global registration and
 * instrumentation, so that no library can send data: spans of HTTP requests would contain URLs with resource ids.
 */
export function createOpenTelemetry(
  { sampling, serviceName }: Pick<TelemetrySettings, 'sampling' | 'serviceName'>,
  { clock, instance, destinations, onFailure }: OpenTelemetryDeps,
): Exporter {
  const resource = resourceFromAttributes({ 'service.name': serviceName, 'service.instance.id': instance });
  const { tracers, meters, loggers } = createProviders(sampling, destinations, resource);
  const providers = [tracers, meters, loggers];
  const flushes = new Map<(typeof providers)[number], Promise<unknown>>();
  setGlobalErrorHandler((error) => onFailure(codeOf(error))); // the default handler prints parts of the request

  const sums = createSums(clock);
  const instruments = createInstruments(meters.getMeter('ahds-events'), sums);
  const tracer = tracers.getTracer('ahds-events');
  const logger = loggers.getLogger('ahds-events');

  return {
    record(metric, value, attributes) {
      instruments[metric](value, attributes as Attributes);
    },
    log(level, { what, workflow }, line) {
      const attributes = workflow === undefined ? { what } : { what, workflow };
      logger.emit({ severityNumber: SEVERITY[level], severityText: level, body: line, attributes });
    },
    trace: (name, traceParent, fields) => startSpan(tracer, name, { fields, parent: parentOf(traceParent) }),
    flush() {
      sums.addAll();
      for (const provider of providers) flushes.set(provider, Promise.allSettled([provider.forceFlush()]));
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
}

function createProviders(sampling: Sampling, destinations: readonly Destination[], resource: Resource) {
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
  return { tracers, meters, loggers };
}

function samplerOf({ followsHost, ratio }: Sampling) {
  const root = new TraceIdRatioBasedSampler(ratio);
  return followsHost ? new ParentBasedSampler({ root }) : root;
}

/** Returns the status or socket code of an exporter's error. Its message may quote an answer, so it is not used. */
function codeOf(error: unknown): string {
  const { code, statusCode } = Object(error) as { code?: unknown; statusCode?: unknown };
  const status = typeof statusCode === 'number' ? statusCode : code;
  if (typeof status === 'number') return `http-${status}`;
  return typeof status === 'string' && /^[A-Z_]{1,40}$/.test(status) ? status : 'not-sent';
}
