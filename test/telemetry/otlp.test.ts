import type { ServerResponse } from 'node:http';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { systemClock } from '../../src/clock.js';
import { startExport } from '../../src/telemetry/export.js';
import { METRICS } from '../../src/telemetry/metrics.js';
import { createOtlp } from '../../src/telemetry/otlp.js';
import type { Sampling } from '../../src/telemetry/settings.js';
import { createFakeClock } from '../../src/testing/index.js';
import { readOtlp } from './read-otlp.js';
import { type StandIn, startStandIn } from './stand-in.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

let collector: StandIn;
beforeEach(async () => {
  collector = await startStandIn();
});
afterEach(() => collector.stop());

async function start({
  sampling = { followsHost: true, ratio: 1 },
  clock = systemClock,
}: {
  sampling?: Sampling;
  clock?: typeof systemClock;
} = {}) {
  const failures: [string, number][] = [];
  const exporter = await startExport(
    { applicationInsights: undefined, otlpEndpoint: `${collector.url}/`, sampling, serviceName: 'hospital' },
    { clock, instance: 'p1', credential: undefined, reportFailure: (code, count) => failures.push([code, count]) },
  );
  return { exporter, failures, exported: () => readOtlp(collector.received) };
}

describe('when a collector is sent metrics', () => {
  it('given a metric of each kind, then each arrives with its unit, its attributes and the name of the process', async () => {
    const { exporter, exported } = await start();
    exporter.record('jobs', 1, { workflow: 'a', outcome: 'completed' });
    exporter.record('jobs', 1, { workflow: 'a', outcome: 'completed' });
    exporter.record('jobs', 1, { workflow: 'a', outcome: 'retried' });
    exporter.record('jobLag', 0.5, { workflow: 'a', outcome: 'completed' });
    exporter.record('jobLag', 2.5, { workflow: 'a', outcome: 'completed' });
    exporter.record('deadLettersPending', 3, { stage: 'crash' });
    exporter.record('deadLettersPending', 2, { stage: 'crash' });

    await exporter.stop();

    expect(exported().metrics).toEqual([
      {
        name: 'ahds.jobs',
        unit: '{job}',
        kind: 'sum',
        points: [
          { attributes: { workflow: 'a', outcome: 'completed' }, value: 2 },
          { attributes: { workflow: 'a', outcome: 'retried' }, value: 1 },
        ],
      },
      {
        name: 'ahds.job.lag',
        unit: 's',
        kind: 'histogram',
        points: [
          {
            attributes: { workflow: 'a', outcome: 'completed' },
            value: 3,
            count: 2,
            bounds: [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 3600, 21_600, 86_400],
          },
        ],
      },
      {
        name: 'ahds.dead_letters.pending',
        unit: '{letter}',
        kind: 'gauge',
        points: [{ attributes: { stage: 'crash' }, value: 2 }],
      },
    ]);
    expect(exported().resources).toEqual([{ 'service.name': 'hospital', 'service.instance.id': 'p1' }]);
  });

  it('given a gauge that is not recorded again, then it is not sent again, and counters are', async () => {
    const reader = new PeriodicExportingMetricReader({ exporter: createOtlp(collector.url).metrics });
    const meters = new MeterProvider({ readers: [reader] });
    const meter = meters.getMeter('test');
    meter.createGauge('gauge').record(1);
    meter.createCounter('counter').add(1);

    await meters.forceFlush();
    await meters.forceFlush();

    const [first, second] = collector.received.map((one) => readOtlp([one]).metrics.map(({ name }) => name));
    expect([first, second]).toEqual([['gauge', 'counter'], ['counter']]);
    await meters.shutdown();
  });

  it('given the list of metrics, then names are unique, and the bounds of lag contain the promised 1 s and 5 s', () => {
    const names = Object.values(METRICS).map(({ name }) => name);

    expect(new Set(names).size).toBe(names.length);
    expect(METRICS.jobLag.bounds).toEqual(expect.arrayContaining([1, 5]));
  });
});

describe('when a collector is sent lines', () => {
  it('given a line of each level, then it arrives with its severity, and with the text of the console', async () => {
    const { exporter, exported } = await start();
    exporter.log('info', { what: 'stopped' }, '{"what":"stopped"}');
    exporter.log('warn', { what: 'job-retries', workflow: 'a' }, '{"what":"job-retries","workflow":"a"}');
    exporter.log('error', { what: 'job-hung' }, '{"what":"job-hung"}');

    await exporter.stop();

    expect(exported().logs).toEqual([
      { severity: 9, body: '{"what":"stopped"}', attributes: { what: 'stopped' } },
      {
        severity: 13,
        body: '{"what":"job-retries","workflow":"a"}',
        attributes: { what: 'job-retries', workflow: 'a' },
      },
      { severity: 17, body: '{"what":"job-hung"}', attributes: { what: 'job-hung' } },
    ]);
  });
});

describe('when a collector is sent traces', () => {
  it('given a traceparent of the host, then the spans of the app continue the trace of the host', async () => {
    const { exporter, exported } = await start({ sampling: { followsHost: true, ratio: 0 } });

    const span = exporter.trace('deliver', `00-${TRACE}-${PARENT}-01`, { count: 2 });
    const job = span?.child('job', { eventId: 'e1', workflow: 'a' });
    job?.child('workflow', { workflow: 'a' })?.end({ outcome: 'threw', errorCode: 'threw' });
    job?.end({ outcome: 'completed' });
    span?.end();
    await exporter.stop();

    const { spans } = exported();
    expect(spans.map(({ name, isError, attributes }) => ({ name, isError, attributes }))).toEqual([
      { name: 'workflow a', isError: true, attributes: { workflow: 'a', outcome: 'threw', errorCode: 'threw' } },
      { name: 'job', isError: false, attributes: { eventId: 'e1', workflow: 'a', outcome: 'completed' } },
      { name: 'deliver', isError: false, attributes: { count: 2 } },
    ]);
    const [workflow, jobSpan, whole] = spans;
    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([TRACE]));
    expect([workflow?.parentId, jobSpan?.parentId, whole?.parentId]).toEqual([jobSpan?.spanId, whole?.spanId, PARENT]);
  });

  it.each([
    {
      given: 'a trace that the host does not sample',
      traceParent: `00-${TRACE}-${PARENT}-00`,
      followsHost: true,
      ratio: 1,
      isSampled: false,
    },
    { given: 'an empty traceparent', traceParent: '', followsHost: true, ratio: 1, isSampled: true },
    {
      given: 'a traceparent in another form',
      traceParent: `00-${TRACE}-01`,
      followsHost: true,
      ratio: 1,
      isSampled: true,
    },
    { given: 'a share of 0', traceParent: undefined, followsHost: true, ratio: 0, isSampled: false },
    {
      given: 'a share of 1 that ignores the host',
      traceParent: `00-${TRACE}-${PARENT}-00`,
      followsHost: false,
      ratio: 1,
      isSampled: true,
    },
    {
      given: 'a share of 0 that ignores the host',
      traceParent: `00-${TRACE}-${PARENT}-01`,
      followsHost: false,
      ratio: 0,
      isSampled: false,
    },
  ])('given $given, then the trace is exported: $isSampled', async ({ traceParent, isSampled, ...sampling }) => {
    const { exporter } = await start({ sampling });

    expect(exporter.trace('deliver', traceParent) !== undefined).toBe(isSampled);

    await exporter.stop();
  });

  it('given a POST of thousands of events, then 50 of its jobs have spans', async () => {
    const { exporter } = await start();
    const span = exporter.trace('deliver', undefined);

    const children = Array.from({ length: 1000 }, () => span?.child('job'));

    expect(children.filter((child) => child !== undefined)).toHaveLength(50);
    await exporter.stop();
  });
});

describe('when a collector fails', () => {
  it('given a collector that refuses, then its status is reported, once a minute', async () => {
    const clock = createFakeClock();
    const { exporter, failures } = await start({ clock });
    collector.answers((response) => response.writeHead(400, { 'x-id': 'secret' }).end('no, secret'));
    exporter.record('idsReused', 1, {});
    exporter.log('info', { what: 'stopped' }, '{}');

    await exporter.stop();

    expect(failures).toEqual([['http-400', 1]]);
  });

  it('given a collector that fails at first, then the same data is sent again', async () => {
    const { exporter, failures } = await start();
    let isFirst = true;
    collector.answers((response) => {
      response.writeHead(isFirst ? 503 : 200, { 'retry-after': 'Thu, 01 Jan 2026 00:00:00 GMT' }).end();
      isFirst = false;
    });
    exporter.log('info', { what: 'stopped' }, '{"what":"stopped"}');

    await exporter.stop();

    const [first, second] = collector.received;
    expect(collector.received).toHaveLength(2);
    expect(second?.body).toEqual(first?.body);
    expect(failures).toEqual([]);
  });

  it('given lines that are logged during a flush, then the stop sends them as well', async () => {
    const { exporter } = await start();
    exporter.log('info', { what: 'stopping' }, '{"what":"stopping"}');

    exporter.flush();
    exporter.log('info', { what: 'stopped' }, '{"what":"stopped"}');
    await exporter.stop();

    const { logs } = readOtlp(collector.received);
    expect(logs.map(({ body }) => body)).toEqual(['{"what":"stopping"}', '{"what":"stopped"}']);
  });

  it('given a collector that never answers, then the stop takes 3 s', async () => {
    const clock = createFakeClock();
    const { exporter } = await start({ clock });
    const open: ServerResponse[] = [];
    collector.answers((response) => open.push(response));
    exporter.log('info', { what: 'stopped' }, '{}');
    let isOver = false;
    const stopped = exporter.stop().then(() => {
      isOver = true;
    });
    await collector.has((received) => received.length > 0);

    clock.advance(2999);
    await new Promise(setImmediate);
    expect(isOver).toBe(false);
    clock.advance(1);
    await stopped;
    for (const response of open) response.end();
  });
});
