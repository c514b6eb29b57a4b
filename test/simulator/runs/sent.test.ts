import { Sent } from '../../../src/simulator/runs/sent.js';

describe('when a run notes what it has sent', () => {
  it('given more events than there was room for at first, then all are remembered', () => {
    const sent = new Sent();

    for (let n = 0; n < 5000; n += 1) sent.add({ wanted: n % 4, atMs: n * 10, isMalformed: n % 100 === 0 });

    expect(sent.count).toBe(5000);
    expect(sent.get(4999)).toMatchObject({ wanted: 3, atMs: 49_990, isMalformed: false });
    expect(sent.get(4900)).toMatchObject({ wanted: 0, isMalformed: true });
  });

  it('given several jobs are found of an event, then all of them count, and the last to settle', () => {
    const sent = new Sent();
    const n = sent.add({ wanted: 0b111, atMs: 1000, isMalformed: false });

    sent.mark(n, { completed: 0b001, settledAtMs: 3000 });
    sent.mark(n, { dead: 0b010, settledAtMs: 2000 });
    sent.mark(n, { open: 0b100, isUndelivered: true });

    expect(sent.get(n)).toMatchObject({ completed: 1, dead: 2, open: 4, settledAtMs: 3000, isUndelivered: true });
  });

  it('given a new look, then findings are forgotten, and sent events are not', () => {
    const sent = new Sent();
    sent.add({ wanted: 1, atMs: 1, isMalformed: true });
    sent.mark(0, {
      completed: 1,
      superseded: 1,
      dead: 1,
      open: 1,
      hasDeadLetter: true,
      isUndelivered: true,
      settledAtMs: 5,
    });

    sent.unmark();

    expect(sent.get(0)).toEqual({
      wanted: 1,
      atMs: 1,
      isMalformed: true,
      missed: undefined,
      completed: 0,
      superseded: 0,
      dead: 0,
      open: 0,
      hasDeadLetter: false,
      isUndelivered: false,
      settledAtMs: 0,
    });
  });

  it('given events that are never delivered, then it remembers why, also after a new look', () => {
    const sent = new Sent();
    for (const missed of ['lost', 'off', undefined] as const)
      sent.add({ wanted: 1, atMs: 0, isMalformed: false, missed });

    sent.unmark();

    expect([0, 1, 2].map((n) => sent.get(n).missed)).toEqual(['lost', 'off', undefined]);
  });

  it('given workflow 31, then its bit is one like the others', () => {
    const sent = new Sent();
    const bit = (1 << 31) >>> 0;
    sent.add({ wanted: bit, atMs: 0, isMalformed: false });

    sent.mark(0, { completed: bit });

    expect(sent.get(0)).toMatchObject({ wanted: bit, completed: bit });
  });
});
