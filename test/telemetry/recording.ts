import type { AttributesOf, MetricName } from '../../src/telemetry/metrics.js';
import type { Exporter, Fields, Span, SpanName } from '../../src/telemetry/telemetry.js';

export type RecordedSpan = {
  readonly name: SpanName;
  readonly traceParent?: string | undefined;
  fields: Fields;
  isOver: boolean;
  readonly parts: RecordedSpan[];
};

/** Returns an exporter that keeps all records in memory. It takes every trace, unless `isSampled` is false. */
export function createRecording({ isSampled = true } = {}) {
  const records: { metric: MetricName; value: number; attributes: object }[] = [];
  const lines: string[] = [];
  const traces: RecordedSpan[] = [];
  const exporter: Exporter & { isStopped: boolean } = {
    isStopped: false,
    record: (metric, value, attributes) => void records.push({ metric, value, attributes }),
    log: (level, _fields, line) => void lines.push(`${level} ${line}`),
    trace: (name, traceParent, fields = {}) =>
      isSampled ? begin(traces, { name, traceParent, fields, isOver: false, parts: [] }) : undefined,
    flush() {},
    async stop() {
      exporter.isStopped = true;
    },
  };

  return {
    exporter,
    records,
    lines,
    traces,
    /** Returns the records of `metric`, as a list of [value, attributes]. */
    valuesOf<M extends MetricName>(metric: M): [number, AttributesOf<M>][] {
      return records
        .filter((one) => one.metric === metric)
        .map((one) => [one.value, one.attributes as AttributesOf<M>]);
    },
    clear(): void {
      records.length = 0;
      traces.length = 0;
    },
  };
}

function begin(list: RecordedSpan[], recorded: RecordedSpan): Span {
  list.push(recorded);
  return {
    child: (name, fields = {}) => begin(recorded.parts, { name, fields, isOver: false, parts: [] }),
    end(fields = {}) {
      if (recorded.isOver) throw new Error(`${recorded.name} ended twice`);
      recorded.isOver = true;
      recorded.fields = { ...recorded.fields, ...fields };
    },
  };
}

/** Returns the names of a span and its parts, such as `deliver(parse job(claim workflow settle))`. */
export function shapeOf({ name, parts, isOver }: RecordedSpan): string {
  const inner = parts.length > 0 ? `(${parts.map(shapeOf).join(' ')})` : '';
  return `${name}${isOver ? '' : '…'}${inner}`;
}
