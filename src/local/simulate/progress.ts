import type { RunStatus } from '../../simulator/runs/run.js';

const WIDTH = 30;
const LINE_EVERY_MS = 5000;
const PHASES = {
  making: 'making events',
  delivering: 'delivering',
  redriving: 'redriving',
  checking: 'checking storage',
  done: 'done',
  stopped: 'stopped',
  failed: 'failed',
};

/** A bar that is drawn anew on a terminal, a line now and then elsewhere. Goes to standard error: output is the verdict. */
export function createProgress(
  out: { isTTY?: boolean; write(text: string): unknown },
  now: () => number,
): { show(status: RunStatus): void; end(): void } {
  let shownAtMs = Number.NEGATIVE_INFINITY;
  return {
    show(status) {
      if (out.isTTY) return void out.write(`\r\x1b[K${describe(status)}`);
      if (now() - shownAtMs < LINE_EVERY_MS) return;
      shownAtMs = now();
      out.write(`${describe(status)}\n`);
    },
    end() {
      if (out.isTTY) out.write('\r\x1b[K');
    },
  };
}

function describe({ phase, made, events, pending }: RunStatus): string {
  const share = Math.min(1, made / events); // the malformed ones come on top
  const full = Math.round(share * WIDTH);
  const bar = `[${'#'.repeat(full)}${'.'.repeat(WIDTH - full)}]`;
  return `${bar} ${made}/${events} ${PHASES[phase]}, ${pending} with Event Grid`;
}
