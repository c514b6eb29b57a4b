import { digest } from '../../../src/digest.js';
import { eventIdOf } from '../../../src/simulator/runs/event-name.js';
import { findSent, type RunStorage } from '../../../src/simulator/runs/find-sent.js';
import { Sent } from '../../../src/simulator/runs/sent.js';
import { ledgerPlaceOf } from '../../../src/storage/address.js';
import type { Row } from '../../../src/storage/table-store.js';
import { composeMemoryApp } from '../../functions/memory-app.js';

export const RUN = '0badcafe';

/** A run whose traces in storage are written by hand: what, when and in which table is the test's to say. */
export function storeRun({ workflows = ['resource-index', 'moody'] }: { workflows?: readonly string[] } = {}) {
  const { app, clock, stores } = composeMemoryApp();
  const { tables } = stores;
  const { deadLetters, undelivered } = app.stores;
  const sent = new Sent();
  const search = { runId: RUN, sent, workflows, since: new Date('2026-01-01T11:00:00.000Z') };
  const storage = { tables, waiting: app.waiting, deadLetters, undelivered };

  return {
    clock,
    tables,
    deadLetters,
    undelivered,
    sent,
    search,
    storage,

    /** Notes an event as sent now; returns its number. */
    send: (wanted: number) => sent.add({ wanted, atMs: clock.now().getTime(), isMalformed: false }),

    addressOf,

    /** A record of the job, written now. */
    async record(n: number, row: Row, place: { day?: string; workflow?: string; id?: string } = {}): Promise<void> {
      const { table, partition, key } = ledgerPlaceOf(addressOf(n, place));
      await tables.create(table);
      const id = place.id ?? eventIdOf(RUN, n);
      await tables.commit(table, partition, [{ kind: 'insert', key, row: { id, ...row } }]);
    },

    /** A row of the job. */
    wait: (n: number, place: { isLong?: boolean; workflow?: string } = {}) =>
      app.waiting.add(
        {
          dueAt: new Date('2026-01-02T00:00:00.000Z'),
          isLong: place.isLong ?? false,
          event: JSON.stringify({ id: eventIdOf(RUN, n) }),
          item: { kind: 'job', address: addressOf(n, place), eventIdDigest: digest(eventIdOf(RUN, n)) },
        },
        clock.monotonic() + 60_000,
      ),

    /** A row of the whole event. */
    waitForDelivery: (n: number) =>
      app.waiting.add(
        {
          dueAt: new Date('2026-01-02T00:00:00.000Z'),
          isLong: false,
          event: JSON.stringify({ id: eventIdOf(RUN, n) }),
          item: { kind: 'delivery', eventIdDigest: digest(eventIdOf(RUN, n)) },
        },
        clock.monotonic() + 60_000,
      ),

    find: (other: Partial<RunStorage & typeof search> = {}) =>
      findSent({ ...storage, ...other }, { ...search, ...other }),
  };
}

/** Puts the jobs of all events into one partition, so that they fill a page. */
function addressOf(n: number, { day = '20260101', workflow = 'resource-index' } = {}): string {
  return `${day}.${'A'.repeat(22)}.${digest(String(n))}.${workflow}`;
}
