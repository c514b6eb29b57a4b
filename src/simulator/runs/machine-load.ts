import { cpus, loadavg } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** How busy the machine and this process were during a run. */
export type MachineLoad = {
  readonly cores: number;
  /** Of all cores, by all processes of the machine: 0 to 1. */
  readonly cpuShare: number;
  /** Processes that ran or waited for a core in the last minute, in the mean; 0 on Windows, which has no such number. */
  readonly loadAverage: number;
  /** How late timers of this process ran: all but 1 % of them were less late. */
  readonly eventLoopDelayMs: number;
};

/** Begins to measure; the function that it gives ends that, and says what was measured. */
export type MeasureMachine = () => () => MachineLoad;

const RESOLUTION_MS = 20;

export const measureMachine: MeasureMachine = () => {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  const before = cpuTimes();
  return () => {
    delay.disable();
    const { busy, all } = cpuTimes();
    return {
      cores: cpus().length,
      cpuShare: all === before.all ? 0 : (busy - before.busy) / (all - before.all),
      loadAverage: loadavg()[0] ?? 0,
      eventLoopDelayMs: Math.max(0, delay.percentile(99) / 1e6 - RESOLUTION_MS),
    };
  };
};

function cpuTimes(): { busy: number; all: number } {
  const times = cpus().map(({ times }) => times);
  const all = times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0);
  return { busy: all - times.reduce((sum, { idle }) => sum + idle, 0), all };
}
