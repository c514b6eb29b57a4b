import { cpus, loadavg } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';

export type MeasureMachine = typeof measureMachine;
/** The load of the machine and of this process during a run. */
export type MachineLoad = ReturnType<ReturnType<MeasureMachine>>;

const RESOLUTION_MS = 20;

/** Begins to measure. The returned function ends the measurement, and returns the load. */
export function measureMachine() {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  const before = cpuTimes();
  return () => {
    delay.disable();
    const { busy, all } = cpuTimes();
    return {
      cores: cpus().length,
      /** The share of all cores that all processes of the machine use: 0 to 1. */
      cpuShare: all === before.all ? 0 : (busy - before.busy) / (all - before.all),
      /** Processes that ran or waited for a core in the last minute, in the mean; always 0 on Windows. */
      loadAverage: loadavg()[0] ?? 0,
      /** The delay of this process's timers: 99 % of them ran with less delay. */
      eventLoopDelayMs: Math.max(0, delay.percentile(99) / 1e6 - RESOLUTION_MS),
    };
  };
}

function cpuTimes(): { busy: number; all: number } {
  const times = cpus().map(({ times }) => times);
  const all = times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0);
  return { busy: all - times.reduce((sum, { idle }) => sum + idle, 0), all };
}
