import { createRowTurns } from '../../../src/pipeline/row-turns.js';
import { openTable } from '../../../src/pipeline/workflow-table.js';
import { createGroupCommit } from '../../../src/storage/group-commit.js';
import type { Row } from '../../../src/storage/table-store.js';
import { readerOfContent } from '../../../src/testing/content.js';
import type { Context, DicomEvent, HealthEvent, Workflow } from '../../../src/workflow.js';
import { type Account, type App, createAccount, startApp, watched } from '../../pipeline/memory-app.js';
import { rawOfDicom } from '../../testing/raw-events.js';
import { watchOrder } from '../row-order.js';
import { type Held, metadataOf } from './stories.js';

const SETTLED_AFTER_MS = 15_000;
const MAX_ROUNDS = 200;

/**
 * A storage account, a service that tells what it held when the last event was sent, and processes over both. `wentBack`
 * has the rows that have gone back to an older one of `events`, at any write of them.
 */
export function createStorageWorld(events: readonly DicomEvent[] = []) {
  const account = createAccount();
  const regressions: string[] = [];
  watchOrder(
    account.tables,
    events.map((event) => ({ event })),
    (wrong) => regressions.push(wrong),
  );
  let held: Held = new Map();
  const readerFor = (event: HealthEvent) => readerOfContent(event, { instance: metadataOf(event as DicomEvent, held) });

  return {
    account,
    regressions,

    /** From now on, reads find this. */
    serviceHolds(now: Held): void {
      held = now;
    },

    start: (workflow: Workflow) => startApp(account, { workflows: [workflow], readerFor }),

    /** Delivers as Event Grid does, again and again until `app`, or the one that follows it, has acknowledged it. */
    async deliver(events: readonly DicomEvent[], apps: readonly App[]): Promise<void> {
      for (const app of apps) {
        for (let tries = 0; tries < 3; tries += 1) {
          const delivery = watched(app.pipeline.deliver(events.map(rawOfDicom)));
          for (let ms = 0; delivery.state === 'open' && ms < 30_000; ms += 1000) await account.pass(1000);
          if (delivery.state === 'resolved') return;
        }
      }
      throw new Error('Nobody has acknowledged the POST.');
    },

    /** Lets time pass, and `app` do what is due, until nothing waits. */
    async comeToRest(app: App): Promise<void> {
      for (let round = 0; account.waiting().length > 0; round += 1) {
        if (round > MAX_ROUNDS) throw new Error('Rows wait for ever.');
        await account.pass(SETTLED_AFTER_MS);
        const due = watched(app.runDueRows());
        for (let ms = 0; due.state === 'open' && ms < 60_000; ms += 1000) await account.pass(1000);
      }
    },

    /** Runs the timer so many times, a minute apart. */
    async runTimer(workflow: Workflow, times: number): Promise<void> {
      const { signal } = new AbortController();
      const log = { info() {}, warn() {}, error() {} };
      for (let at = 0; at < times; at += 1) {
        await workflow.task?.run({
          tables: openTables(account),
          log,
          setting: () => undefined,
          now: account.clock.now,
          signal,
        });
        account.clock.advance(60_000);
      }
    },

    studies: (): Row[] => account.tables.inspect('studies').map(({ row }) => row),
    open: (): Row[] => account.tables.inspect('openstudies').map(({ row }) => row),
  };
}

/** Tables over the storage of `account`, as somebody has them who never loses a lease. */
export function openTables({ tables, clock, random }: Account): Context['tables'] {
  const deps = { tables, random, commit: createGroupCommit({ tables, clock, random }), rowTurns: createRowTurns() };
  const guard = { writableUntilMs: () => Number.POSITIVE_INFINITY, isWanted: () => true, note() {} };
  return (name) => openTable(name, deps, guard);
}
