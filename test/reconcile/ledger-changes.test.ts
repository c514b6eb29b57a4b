import { keyOf } from '../../src/events/key.js';
import { parseEvent } from '../../src/events/parse.js';
import { foundEvent } from '../../src/reconcile/found-event.js';
import type { FoundChange } from '../../src/reconcile/known-changes.js';
import { createLedgerChanges } from '../../src/reconcile/ledger-changes.js';
import { addressOf } from '../../src/storage/address.js';
import { defineWorkflow, fhir, minutes } from '../../src/workflow.js';
import { composeMemoryApp } from '../functions/memory-app.js';

const SOURCE = '/subscriptions/1/resourceGroups/r/providers/Microsoft.HealthcareApis/workspaces/w';
const CHANGE: FoundChange = {
  service: 'fhir',
  host: 'w-f.fhir.azurehealthcareapis.com',
  resourceType: 'Patient',
  resourceId: 'p1',
  change: 'created',
  version: 1,
  time: '2026-01-01T10:00:00.000Z',
};
const found = foundEvent(CHANGE, SOURCE);
const event = parseEvent(found.raw);

function open({ fails = (): boolean => false } = {}) {
  const runs: string[] = [];
  const workflow = (name: string, more = {}) =>
    defineWorkflow({
      ...{ name, on: fhir('Patient'), ...more },
      handle: () => {
        runs.push(name);
        if (name === 'two' && fails()) throw new Error('down');
      },
    });
  const workflows = [workflow('one'), workflow('two'), workflow('long', { timeout: minutes(5) })];
  const { app, clock, stores, runDueRows } = composeMemoryApp({ workflows });
  const { ledger, waiting, deadLetterStores } = app;
  const { storageNow } = deadLetterStores;
  const deadlineMs = app.config.deadlineMs;
  const deps = { ledger, waiting, workflows, deadlineMs, clock, random: app.random, storageNow };
  return {
    changes: createLedgerChanges(deps),
    afterLoss: createLedgerChanges({ ...deps, areRowsLost: true }),
    async loseRows(): Promise<void> {
      await stores.tables.drop('waiting');
      clock.advance(60_000); // the name is blocked for a while
    },
    runs,
    rows: () => stores.tables.inspect('waiting'),
    async runRows(): Promise<void> {
      clock.advance(1000);
      for (let round = 0; round < 2; round += 1) {
        await runDueRows();
        clock.advance(1000);
      }
    },
  };
}

describe('when a change is brought into the app', () => {
  it('given no workflow, then each workflow runs once, and the change is known from then on', async () => {
    const { changes, runs, rows, runRows } = open();
    expect(await changes.isKnown(event)).toBe(false);

    await changes.bringIn(found);
    await changes.bringIn(found);
    expect(rows().map(({ row }) => row.kind)).toEqual(['delivery', 'delivery']);
    await runRows();

    expect(runs.sort()).toEqual(['long', 'one', 'two']);
    expect(await changes.isKnown(event)).toBe(true);
    expect(await changes.isKnown(event, 'two')).toBe(true);
  });

  it('given a workflow, then only this workflow runs', async () => {
    const { changes, runs, rows, runRows } = open();

    await changes.bringIn(found, 'two');
    expect(rows().map(({ key }) => key)).toEqual([expect.stringContaining(addressOf(keyOf(event), 'two'))]);
    await runRows();

    expect(runs).toEqual(['two']);
    expect(await changes.isKnown(event, 'two')).toBe(true);
    expect(await changes.isKnown(event, 'one')).toBe(false);
    expect(await changes.isKnown(event)).toBe(true);
  });

  it('given a workflow that may run for longer than a delivery, then the queue for long jobs runs the row', async () => {
    const { changes, runs, rows, runRows } = open();

    await changes.bringIn(found, 'long');
    expect(rows().map(({ partition }) => partition)).toEqual([expect.stringMatching(/^long-/)]);
    await runRows();

    expect(runs).toEqual(['long']);
  });

  it('given a lost row of a job that waits, then the ledger knows the change, and only with rows lost the job runs', async () => {
    let isDown = true;
    const { changes, afterLoss, runs, runRows, rows, loseRows } = open({ fails: () => isDown });
    await changes.bringIn(found);
    await runRows();
    await loseRows();
    isDown = false;
    runs.length = 0;
    expect(await changes.isKnown(event)).toBe(true);
    expect(await afterLoss.isKnown(event)).toBe(false);

    await afterLoss.bringIn(found);
    await afterLoss.bringIn(found);
    for (let round = 0; round < 3; round += 1) await runRows();

    expect(runs).toEqual(['two']);
    expect(rows()).toEqual([]);
    expect(await afterLoss.isKnown(event)).toBe(true);
  });

  it('given rows lost and a job whose row is there after all, then the job runs once', async () => {
    let isDown = true;
    const { changes, afterLoss, runs, runRows, rows } = open({ fails: () => isDown });
    await changes.bringIn(found);
    await runRows();
    isDown = false;
    runs.length = 0;

    await afterLoss.bringIn(found, 'two');
    for (let round = 0; round < 20; round += 1) await runRows();

    expect(runs).toEqual(['two']);
    expect(rows()).toEqual([]);
  });
});
