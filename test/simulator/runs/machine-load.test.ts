import { sleep, systemClock } from '../../../src/clock.js';
import { measureMachine } from '../../../src/simulator/runs/machine-load.js';

describe('when the machine is measured', () => {
  it('given a blocked event loop, measures the delay of timers and the load of the cores', async () => {
    const end = measureMachine();
    await sleep(systemClock, 100);
    for (const untilMs = systemClock.monotonic() + 400; systemClock.monotonic() < untilMs; );
    await sleep(systemClock, 100);

    const { cores, cpuShare, loadAverage, eventLoopDelayMs } = end();

    expect(eventLoopDelayMs).toBeGreaterThan(250);
    expect(cpuShare).toBeGreaterThan(0);
    expect(cpuShare).toBeLessThanOrEqual(1);
    expect(cores).toBeGreaterThanOrEqual(1);
    expect(loadAverage).toBeGreaterThanOrEqual(0);
  });
});
