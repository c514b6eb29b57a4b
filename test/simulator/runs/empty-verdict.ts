import type { Verdict } from '../../../src/simulator/runs/verdict.js';

/** The verdict of a run without events. */
export const EMPTY: Verdict = {
  ok: true,
  events: {
    ...{ sent: 0, malformed: 0, settled: 0, deadLettered: 0, rejected: 0 },
    ...{ open: 0, ignored: 0, undelivered: 0, lost: 0 },
  },
  neverDelivered: { lostByChaos: 0, eventsOff: 0, hardDeleted: 0, found: 0 },
  jobs: { completed: 0, superseded: 0, deadLettered: 0, open: 0 },
  lagMs: null,
  withinFiveSeconds: null,
  tables: {},
  problems: [],
};
