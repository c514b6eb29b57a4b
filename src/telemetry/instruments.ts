import type { Attributes, Counter } from '@opentelemetry/api';
import type { MeterProvider } from '@opentelemetry/sdk-metrics';
import type { Clock } from '../clock.js';
import { METRICS, type Metric, type MetricName } from './metrics.js';

type Meter = ReturnType<MeterProvider['getMeter']>;
type Recorder = (value: number, attributes: Attributes) => void;

/** Returns the functions that record a value of each metric. */
export function createInstruments(meter: Meter, sums: Sums): Record<MetricName, Recorder> {
  const all = Object.entries<Metric>(METRICS).map(([name, metric]) => [name, createRecorder(meter, metric, sums)]);
  return Object.fromEntries(all);
}

function createRecorder(meter: Meter, metric: Metric, sums: Sums): Recorder {
  const { name, unit, description } = metric;
  switch (metric.kind) {
    case 'counter': {
      const counter = meter.createCounter(name, { unit, description });
      return (value, attributes) => sums.add(counter, value, attributes);
    }
    case 'gauge': {
      const gauge = meter.createGauge(name, { unit, description });
      return (value, attributes) => gauge.record(value, attributes);
    }
    case 'histogram': {
      const advice = { explicitBucketBoundaries: [...metric.bounds] };
      const histogram = meter.createHistogram(name, { unit, description, advice });
      return (value, attributes) => histogram.record(value, attributes);
    }
    default:
      throw new TypeError(`unhandled ${JSON.stringify(metric satisfies never)}`);
  }
}

/** Sums for counters of the SDK. `addAll` adds them now. */
type Sums = { add(counter: Counter, value: number, attributes: Attributes): void; addAll(): void };

/** Returns sums that reach their counters once per turn of the event loop: each call of the SDK costs over 1 µs. */
export function createSums(clock: Clock): Sums {
  const sums = new Map<Counter, Map<string, { value: number; attributes: Attributes }>>();
  return { add, addAll };

  function add(counter: Counter, value: number, attributes: Attributes): void {
    if (sums.size === 0) clock.endOfTurn(addAll);
    let ofCounter = sums.get(counter);
    if (!ofCounter) {
      ofCounter = new Map();
      sums.set(counter, ofCounter);
    }
    const key = Object.values(attributes).join('\n');
    const sum = ofCounter.get(key);
    if (sum) sum.value += value;
    else ofCounter.set(key, { value, attributes });
  }

  function addAll(): void {
    for (const [counter, ofCounter] of sums) {
      for (const { value, attributes } of ofCounter.values()) counter.add(value, attributes);
    }
    sums.clear();
  }
}
