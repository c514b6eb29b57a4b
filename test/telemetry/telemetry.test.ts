import { createTelemetry, type Exporter, traced } from '../../src/telemetry/telemetry.js';
import { createRecording, shapeOf } from './recording.js';

const COMPLETED = { workflow: 'a', outcome: 'completed' } as const;

function start() {
  const lines: string[] = [];
  const telemetry = createTelemetry((level, line) => lines.push(`${level} ${line}`));
  return { telemetry, lines, recording: createRecording() };
}

describe('when data is recorded', () => {
  it('given nothing is exported, then stats count, the console has the line, and no trace begins', () => {
    const { telemetry, lines } = start();

    telemetry.record('jobs', 1, COMPLETED);
    telemetry.record('jobs', 1, { workflow: 'b', outcome: 'completed' });
    telemetry.record('reads', 1, { service: 'dicom', outcome: 'gone' });
    telemetry.record('events', 1, { outcome: 'taken', type: 'unknown' });
    telemetry.log('warn', 'job-hung', { workflow: 'a' });

    expect(telemetry.counters).toMatchObject({
      jobsCompleted: 2,
      dicomReadsGone: 1,
      eventsInvalid: 0,
      eventsIgnored: 0,
    });
    expect(lines).toEqual(['warn {"what":"job-hung","workflow":"a"}']);
    expect(telemetry.trace('deliver', undefined)).toBeUndefined();
  });

  it('given the libraries are still being loaded, then calls are held, and exported in their order; traces begin later', async () => {
    const { telemetry, recording } = start();
    const loading = Promise.withResolvers<Exporter>();
    telemetry.log('info', 'stopping');
    telemetry.exportTo(loading.promise);
    telemetry.record('jobs', 1, COMPLETED);
    telemetry.log('info', 'stopped');
    expect(telemetry.trace('deliver', undefined)).toBeUndefined();

    loading.resolve(recording.exporter);
    await loading.promise;
    telemetry.record('idsReused', 1, {});

    expect(recording.records.map(({ metric }) => metric)).toEqual(['jobs', 'idsReused']);
    expect(recording.lines).toEqual(['info {"what":"stopped"}']);
    expect(telemetry.trace('deliver', undefined)).toBeDefined();
  });

  it('given more calls than are held, then the counters of stats have all of them', async () => {
    const { telemetry, recording } = start();
    const loading = Promise.withResolvers<Exporter>();
    telemetry.exportTo(loading.promise);

    for (let n = 0; n < 10_001; n += 1) telemetry.record('jobs', 1, COMPLETED);
    loading.resolve(recording.exporter);
    await loading.promise;

    expect(recording.records).toHaveLength(10_000);
    expect(telemetry.counters.jobsCompleted).toBe(10_001);
  });

  it('given libraries that cannot be loaded, then a line says so without the error, and all else continues', async () => {
    const { telemetry, lines } = start();
    telemetry.exportTo(Promise.reject(new Error('secret')));
    await new Promise(setImmediate);

    telemetry.record('jobs', 1, COMPLETED);
    await telemetry.stop();

    expect(lines).toEqual(['error {"what":"export-off"}']);
    expect(telemetry.counters.jobsCompleted).toBe(1);
  });

  it('given the process ends, then the data so far is sent', async () => {
    const { telemetry, recording } = start();
    telemetry.exportTo(Promise.resolve(recording.exporter));
    await new Promise(setImmediate);

    await telemetry.stop();

    expect(recording.exporter.isStopped).toBe(true);
  });
});

describe('when something is traced', () => {
  it('given a span, then the work is a child of the span, and the child ends when the work succeeds or fails', async () => {
    const { exporter, traces } = createRecording();
    const span = exporter.trace('deliver', undefined);

    expect(await traced(span, 'claim', async () => 1)).toBe(1);
    await expect(traced(span, 'settle', () => Promise.reject(new Error('no')))).rejects.toThrow('no');

    expect(traces.map(shapeOf)).toEqual(['deliver…(claim settle)']);
  });

  it('given no span, then the promise of the work is returned', async () => {
    const promise = Promise.resolve(1);

    expect(traced(undefined, 'claim', () => promise)).toBe(promise);
  });
});
