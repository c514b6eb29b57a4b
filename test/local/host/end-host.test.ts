import { describe, expect, it } from '@jest/globals';
import { endHost } from '../../../src/local/host/end-host.js';
import { createTestClock } from '../../storage/test-clock.js';

const NEVER = new Promise<never>(() => {});

describe('when the host ends', () => {
  it('given nothing runs, then each part follows the one before at once', async () => {
    const { end, steps, clock } = createHost();

    await end();

    expect(steps).toEqual(['socket closes', 'listeners stop', 'appTerminate 1', 'appTerminate 2', 'connections close']);
    expect(clock.timers).toBe(0);
  });

  it('given everything hangs, then HTTP gets 20 s, functions 10 s, and appTerminate 5 s', async () => {
    const { end, steps, clock } = createHost({ hangs: true });
    const seen: Record<number, string[]> = {};

    void end();
    for (let s = 0; s <= 36; s += 1) {
      for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
      if (steps.length > 0) seen[s] = steps.splice(0);
      clock.advance(1000);
    }

    expect(seen).toEqual({
      0: ['socket closes'],
      20: ['listeners stop'],
      30: ['appTerminate 1'],
      35: ['connections close'],
    });
  });

  it('given a hook that throws, then the next one runs all the same', async () => {
    const { end, steps, lines } = createHost({ throws: true });

    await end();

    expect(steps).toContain('appTerminate 2');
    expect(lines).toEqual([expect.stringMatching(/^error An appTerminate hook failed: Error/)]);
  });
});

function createHost({ hangs = false, throws = false } = {}) {
  const clock = createTestClock();
  const steps: string[] = [];
  const lines: string[] = [];
  const step = (text: string, canHang = true) => {
    steps.push(text);
    if (throws && text === 'appTerminate 1') throw new Error('secret');
    return hangs && canHang ? NEVER : Promise.resolve();
  };
  const appTerminate = [() => step('appTerminate 1'), () => step('appTerminate 2')];
  const end = () =>
    endHost({
      app: { hooks: { appTerminate } } as never,
      server: {
        stopAccepting: () => step('socket closes'),
        close: () => step('connections close', false),
      } as never,
      invoker: { idle: () => (hangs ? NEVER : Promise.resolve()) } as never,
      listeners: [{ stop: () => step('listeners stop') }],
      drainMs: Number.POSITIVE_INFINITY,
      clock,
      log: (level, line) => {
        if (level === 'error') lines.push(`${level} ${line}`);
      },
    });
  return { end, steps, lines, clock };
}
