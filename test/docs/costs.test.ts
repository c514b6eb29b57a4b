import { readFileSync } from 'node:fs';
import { registerMeasureBacklog } from '../../src/functions/measure-backlog.js';
import { registerWakeDue } from '../../src/functions/wake-due.js';
import { createMemoryBlobStore } from '../../src/storage/memory-blob-store.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import { createFakeClock } from '../../src/testing/index.js';
import { createFakeFunctions } from '../functions/fake-functions.js';
import { composeMemoryApp } from '../functions/memory-app.js';
import { type Cost, costsOf } from './costs.js';

const page = readFileSync('docs/costs.md', 'utf8');

/** The rows of the first table under this heading, each as a list of cells. */
function rowsOf(heading: string): string[][] {
  const [, section = ''] = page.split(`## ${heading}\n`);
  const [table = ''] = /^\|[\s\S]*?\n\n/m.exec(section) ?? [];
  const lines = table.trim().split('\n').slice(2);
  return lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const number = (value: number) => String(Math.round(value * 100) / 100);

describe('when docs/costs.md states the cost of an event', () => {
  let alone: Cost[] = [];
  let hundred: Cost[] = [];
  beforeAll(async () => {
    alone = await costsOf({ postSize: 1 });
    hundred = await costsOf({ postSize: 100 });
  });

  it.each([
    { heading: 'In POSTs of 1', costs: () => alone },
    { heading: 'In POSTs of 100', costs: () => hundred },
  ])('given the events of each kind $heading, then the page states the counted requests', ({ heading, costs }) => {
    const counted = costs().map(({ what, requests, entities, reads, serviceReads }) => [
      what,
      ...[requests, entities, reads, serviceReads].map(number),
    ]);

    expect(rowsOf(heading)).toEqual(counted);
  });

  it('given timers without work, then they send as many requests as the page says', async () => {
    const { tables, blobs } = await requestsOfTimers();

    expect(tables).toEqual({ wakeDue: 18, measureBacklog: 16 });
    expect(blobs).toEqual({ wakeDue: 0, measureBacklog: 5 });
    expect(page).toContain('`wakeDue` 18 requests every 10 s');
    expect(page.replaceAll('\n', ' ')).toContain('`measureBacklog` 16 every minute, and of Blob Storage 5,');
  });

  it('given each kind of change to a resource, then the costs include it', () => {
    expect(hundred.map(({ what }) => what)).toEqual(
      expect.arrayContaining(
        ['Patient', 'Encounter', 'image'].flatMap((of) => ['created', 'deleted'].map((change) => `${of} ${change}`)),
      ),
    );
  });
});

/** The requests of one call of each timer on empty storage. */
async function requestsOfTimers() {
  const clock = createFakeClock();
  const requests = { tables: 0, blobs: 0 };
  const counted = <Store extends object>(store: Store, kind: keyof typeof requests): Store => {
    const methods = Object.entries(store).map(([method, call]) => [
      method,
      (...all: unknown[]) => {
        requests[kind] += 1;
        return call(...all);
      },
    ]);
    return Object.fromEntries(methods);
  };
  const stores = {
    tables: counted(createMemoryTableStore({ clock }), 'tables'),
    deadLetters: counted(createMemoryBlobStore({ clock }), 'blobs'),
    undelivered: counted(createMemoryBlobStore({ clock }), 'blobs'),
  };
  const functions = createFakeFunctions();
  const { app } = composeMemoryApp({ stores });
  registerWakeDue(functions.app, app);
  registerMeasureBacklog(functions.app, app);
  const found: Record<keyof typeof requests, Record<string, number>> = { tables: {}, blobs: {} };
  for (const name of functions.names()) {
    await functions.call(name); // the first call creates the tables
    clock.advance(10_000);
    Object.assign(requests, { tables: 0, blobs: 0 });
    await functions.call(name);
    found.tables[name] = requests.tables;
    found.blobs[name] = requests.blobs;
  }
  return found;
}
