import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';

/** On what, and beside how much else, the figures were made. */
export function describeMachine() {
  return {
    cpus: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    loadAverage: Number((loadavg()[0] ?? 0).toFixed(2)),
  };
}
