import { play } from '../../../src/simulator/runs/play.js';
import type { Scenario, World } from '../../../src/simulator/scenarios/scenario.js';
import { createFakeClock } from '../../../src/testing/index.js';

/** A scenario whose every step makes one event; `passMs` plays it for so long and says how many were made. */
function start({ events, rate, burstMs = 0 }: { events: number; rate: number; burstMs?: number }) {
  const clock = createFakeClock();
  const stopping = new AbortController();
  let made = 0;
  const state = { isFull: false, isOver: false };
  const scenario = {
    *play(): Generator<void, never> {
      for (;;) {
        made += 1;
        yield;
      }
    },
  } as unknown as Scenario;
  const world = { left: () => events - made } as World;
  void play({
    scenario,
    world,
    events,
    rate,
    burstMs,
    isFull: () => state.isFull,
    clock,
    signal: stopping.signal,
  }).then(() => {
    state.isOver = true;
  });
  return {
    state,
    stop: () => stopping.abort(),
    async passMs(ms: number): Promise<number> {
      for (let passed = 0; passed < ms; passed += 10) {
        clock.advance(10);
        await new Promise<void>((resolve) => void setImmediate(resolve));
      }
      return made;
    },
  };
}

describe('when a scenario is played', () => {
  it('given a rate, then that number is made in a second, up to the wanted number', async () => {
    const playing = start({ events: 150, rate: 100 });

    expect(await playing.passMs(500)).toBe(50);
    expect(await playing.passMs(500)).toBe(100);
    expect(playing.state.isOver).toBe(false);
    expect(await playing.passMs(2000)).toBe(150);
    expect(playing.state.isOver).toBe(true);
  });

  it('given more are due at once than are wanted, then only the wanted number is made', async () => {
    const playing = start({ events: 5, rate: 1000 });

    expect(await playing.passMs(100)).toBe(5);
  });

  it('given bursts, then nothing is made until one is due', async () => {
    const playing = start({ events: 1000, rate: 100, burstMs: 500 });

    expect(await playing.passMs(490)).toBe(0);
    expect(await playing.passMs(20)).toBe(50);
    expect(await playing.passMs(480)).toBe(50);
    expect(await playing.passMs(900)).toBe(150);
  });

  it('given there is no room, then it waits, and catches up afterwards', async () => {
    const playing = start({ events: 1000, rate: 100 });
    await playing.passMs(100);

    playing.state.isFull = true;
    expect(await playing.passMs(400)).toBe(10);

    playing.state.isFull = false;
    expect(await playing.passMs(10)).toBe(51);
  });

  it('given more than 200 are due at once, then other work runs in between', async () => {
    const playing = start({ events: 10_000, rate: 100_000 });

    expect(await playing.passMs(10)).toBe(200);
  });

  it('given it is stopped, then it makes no more, and is over', async () => {
    const playing = start({ events: 1000, rate: 100 });
    await playing.passMs(100);

    playing.stop();

    expect(await playing.passMs(1000)).toBe(10);
    expect(playing.state.isOver).toBe(true);
  });
});
