import { readFileSync } from 'node:fs';
import { registerMeasureBacklog } from '../../src/functions/measure-backlog.js';
import { registerOverview } from '../../src/functions/overview.js';
import { registerRedeliver } from '../../src/functions/redeliver.js';
import { registerRedriveUndelivered } from '../../src/functions/redrive-undelivered.js';
import { registerTasks } from '../../src/functions/tasks.js';
import { createMemoryBlobStore } from '../../src/storage/memory-blob-store.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import { createFakeClock } from '../../src/testing/index.js';
import { imagingStudies } from '../../src/workflows/imaging-studies/imaging-studies.js';
import { observationAlerts } from '../../src/workflows/observation-alerts/observation-alerts.js';
import { resourceIndex } from '../../src/workflows/resource-index.js';
import { startService } from '../clients/stand-in.js';
import { createFakeFunctions } from '../functions/fake-functions.js';
import { composeMemoryApp } from '../functions/memory-app.js';
import { openCommand } from '../local/reconcile/open-command.js';
import { fhirHistory, versionsOf } from '../reconcile/services.js';
import { rawFhirEvent } from '../testing/raw-events.js';
import { SECRET } from '../workflows/observation-alerts/endpoint.js';
import { type Cost, costsOf } from './costs.js';

const page = readFileSync('docs/costs.md', 'utf8');

/** Rows of the page's first table: the event, its costs in POSTs of 100, and in POSTs of 1. */
const rows = (/^\|[\s\S]*?\n\n/m.exec(page)?.[0] ?? '')
  .trim()
  .split('\n')
  .slice(2)
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

const number = (value: number) => String(Math.round(value * 100) / 100);

describe('when docs/costs.md states the cost of an event', () => {
  let alone: Cost[] = [];
  let hundred: Cost[] = [];
  beforeAll(async () => {
    alone = await costsOf({ postSize: 1 });
    hundred = await costsOf({ postSize: 100 });
  });

  it.each([
    { postSize: 100, costs: () => hundred, from: 0 },
    { postSize: 1, costs: () => alone, from: 4 },
  ])('given events in POSTs of $postSize, then the table has the counted costs', ({ costs, from }) => {
    const counted = costs().map(({ what, requests, entities, reads, serviceRequests }) => [
      what,
      ...[requests, entities, reads, serviceRequests].map(number),
    ]);

    expect(rows.map(([what, ...all]) => [what, ...all.slice(from, from + 4)])).toEqual(counted);
  });

  it('given the example of a million events, then its sums are those of the tables', () => {
    const [, section = ''] = /^## A million events a day\n([\s\S]*?)^## /m.exec(page) ?? [];
    const whole = (text = '') => Number(text.replaceAll(',', ''));
    const day = [...section.matchAll(/(\d[\d,]+) × (\w.*?)(?=, \d|, with one)/gs)].map(([, count, what = '']) => ({
      count: whole(count),
      costs:
        rows
          .find(([name]) => name === what.replaceAll('\n', ' '))
          ?.slice(1)
          .map(Number) ?? [],
    }));
    const sum = (column: number) =>
      Math.round(day.reduce((all, { count, costs }) => all + count * (costs[column] ?? NaN), 0));
    const stated = (unit: string) =>
      (new RegExp(`^\\| ${unit}[^|]* \\| ([\\d,]+) \\| ([\\d,]+) \\|$`, 'm').exec(section) ?? []).slice(1).map(whole);

    expect(day.reduce((all, { count }) => all + count, 0)).toBe(1_000_000);
    expect(stated('requests of Table Storage')).toEqual([sum(0), sum(4)]);
    expect(stated('requests to the FHIR')).toEqual([sum(3), sum(7)]);
    // wakeDue each 10 s; each minute measureBacklog, reconcile with two services, settleStudies; heartbeat and pauses each 10 s.
    const timers = 18 * 8640 + (17 + 1 + 4 * 2 + 8) * 1440 + 2 * 8640;
    expect(stated('for timers')).toEqual([timers, timers]);
    expect(stated('executions')).toEqual([10_000, 1_000_000].map((posts) => posts + 8640 + 4 * 1440));
    expect(stated('GB-seconds')).toEqual([2 * 86_400, 2 * 86_400]);
  });

  it('given the example in euros, then it is the prices times the units', () => {
    const [, section = ''] = /^## A million events a day\n([\s\S]*?)^## /m.exec(page) ?? [];
    const cells = (name: string) =>
      (section.split('\n').find((line) => line.startsWith(`| ${name}`)) ?? '').split('|').map((cell) => cell.trim());
    const unit = (name: string, column: number) => Number(cells(name)[column + 2]?.replaceAll(',', ''));
    const prices = (name: string) => [...(cells(name)[2] ?? '').matchAll(/0\.\d+/g)].map(Number);
    const [flat = 0] = prices('tables, with `STORAGE_KEY_TYPE`');
    const [transaction = 0, read = 0, query = 0] = prices('tables, with `Account`');
    const readsOf = (column: number) =>
      600_000 * Number(rows.find(([name]) => name === 'image created')?.[3 + 4 * column]) + 80_000 + 3 * 20_000;
    const euros = [0, 1].map((column) => {
      const [events, queries, gbSeconds] = [
        unit('requests of Table Storage', column),
        unit('to compare', column) + unit('for timers', column),
        unit('GB-seconds', column),
      ];
      const reads = readsOf(column);
      return [
        ((events + queries) * flat) / 10_000,
        ((events - reads) * transaction + reads * read + queries * query) / 10_000,
        (unit('events that Event Grid', column) * (prices('Event Grid')[0] ?? 0)) / 1_000_000,
        gbSeconds * prices('the instance').reduce((sum, price) => sum + price, 0),
        (unit('executions: POSTs', column) * (prices('executions | 0')[0] ?? 0)) / 1_000_000,
      ].map(number);
    });

    const names = ['tables, with `STORAGE', 'tables, with `Account`', 'Event Grid', 'the instance', 'executions | 0'];
    expect(names.map((name) => cells(name).slice(3, 5))).toEqual(names.map((_, n) => [euros[0]?.[n], euros[1]?.[n]]));
  });

  it('given timers without work, then they send as many requests as the page says', async () => {
    const { tables, blobs } = await requestsOfTimers();

    expect(tables).toEqual({ wakeDue: 19, measureBacklog: 18, redriveUndelivered: 0, sendAlerts: 8, settleStudies: 8 });
    expect(blobs).toEqual({ wakeDue: 0, measureBacklog: 5, redriveUndelivered: 1, sendAlerts: 0, settleStudies: 0 });
    expect(page).toContain('| `wakeDue`, every 10 s | 19 requests in one process');
    expect(page).toContain('| `measureBacklog`, every minute | 18 requests, and of Blob Storage 5;');
    expect(page).toContain('| `redriveUndelivered`, every minute | a request of Blob Storage |');
    expect(page).toContain('| `sendAlerts`, every 10 s with the webhook on | 8 requests |');
    expect(page).toContain('| `settleStudies`, every minute | 8 requests,');
  });

  it('given an event each second, then the pauses are read as often as the page says', async () => {
    const tables = createMemoryTableStore({ clock: createFakeClock() });
    let reads = 0;
    const query: typeof tables.query = (table, asked) => {
      if (asked.partition === 'pauses') reads += 1;
      return tables.query(table, asked);
    };
    const { app, clock } = composeMemoryApp({ stores: { tables: { ...tables, query } }, workflows: [resourceIndex] });

    for (let second = 0; second < 100; second += 1) {
      await app.pipeline.deliver([rawFhirEvent({ id: `e${second}` })]);
      clock.advance(1000);
    }

    expect(reads * 36).toBe(360);
    expect(page).toContain('every 10 s at most: 360 requests an hour');
  });

  it('given an instance that is idle, works, and answers the page, then it sends as many requests as the page says', async () => {
    const { idle, busy, overview, counting } = await requestsOfInstance();

    expect(idle).toEqual({ tables: 60, blobs: 0 });
    expect(busy).toEqual({ tables: 6, blobs: 0 });
    expect(overview).toEqual({ tables: 2, blobs: 0 });
    expect(counting).toEqual({ tables: 17 + 2, blobs: 5 });
    expect(page).toContain(
      '| an instance that is idle | 1 request and 1 entity a minute, for its heartbeat: 1,440 requests',
    );
    expect(page).toContain('| an instance that works | 1 request and 1 entity every 10 s |');
    expect(page).toContain(
      '| the page, while somebody looks | 2 requests every 5 s for all tabs together; each minute 17',
    );
  });

  it('given each kind of change to a resource, then the costs include it', () => {
    expect(hundred.map(({ what }) => what)).toEqual(
      expect.arrayContaining(
        ['Patient', 'Encounter', 'image'].flatMap((kind) =>
          ['created', 'deleted'].map((change) => `${kind} ${change}`),
        ),
      ),
    );
  });
});

describe('when docs/costs.md states the cost of a comparison', () => {
  it('given changes that are missing, then known, then the page has the counted requests', async () => {
    const atMidnight = { type: 'Patient', id: 'midnight', version: 1, time: '2025-12-31T23:58:00.000Z' };
    await using service = await startService(fhirHistory([atMidnight, ...versionsOf(199)]));
    const { type, runRows, tables } = openCommand({ fhir: service.url });
    const calls = { query: 0, commit: 0 };
    const { read, query, commit } = tables;
    Object.assign(tables, {
      read: (...all: Parameters<typeof read>) => {
        calls.query += 1;
        return read(...all);
      },
      query: (...all: Parameters<typeof query>) => {
        calls.query += 1;
        return query(...all);
      },
      commit: (...all: Parameters<typeof commit>) => {
        calls.commit += 1;
        return commit(...all);
      },
    });
    const compare = async () => {
      const before = { ...calls };
      const { output } = await type('--since', '2025-12-31', '--json');
      const [{ known, missing }] = JSON.parse(output).parts;
      return { known, missing, reads: calls.query - before.query, writes: calls.commit - before.commit };
    };

    const first = await compare();
    await runRows();
    const second = await compare();

    expect(first).toMatchObject({ missing: 200, reads: 2 * 199 + 3 + 3 });
    expect(first.writes).toBeLessThanOrEqual(200 + 6);
    expect(second).toEqual({ known: 200, missing: 0, reads: 200 + 1, writes: 2 });
    expect(service.asked).toHaveLength(2);
    expect(page).toContain('| each change that is known | 1 request; up to 3 if');
    expect(page).toContain('| each change that is missing | 3 requests, or 4 within 5 minutes of midnight UTC;');
    expect(page).toContain('| each page of history | 1 request, and 1 of the service |');
  });
});

/** The requests of an hour without events, of a minute with events, and of three looks at the overview at once. */
async function requestsOfInstance() {
  const { clock, requests, stores } = countedStores();
  const functions = createFakeFunctions();
  const { app } = composeMemoryApp({ clock, stores });
  registerOverview(functions.app, app);
  const turns = async () => {
    for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
  };
  app.instances.start();
  await turns();
  const during = async (ms: number, happens: () => unknown = () => {}) => {
    Object.assign(requests, { tables: 0, blobs: 0 });
    for (let leftMs = ms; leftMs > 0; leftMs -= 10_000) {
      happens();
      clock.advance(10_000);
      await turns();
    }
    return { ...requests };
  };
  const look = async () => {
    Object.assign(requests, { tables: 0, blobs: 0 });
    await Promise.all([1, 2, 3].map(() => functions.get('overview')));
    return { ...requests };
  };
  const idle = await during(3_600_000);
  const busy = await during(60_000, () => app.telemetry.record('events', 1, { outcome: 'ignored', type: 'unknown' }));
  const counting = await look();
  clock.advance(5000);
  return { idle, busy, counting, overview: await look() };
}

/** Stores in memory, whose calls are counted. */
function countedStores() {
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
  return { clock, requests, stores };
}

/** The requests of one call of each timer on empty storage. */
async function requestsOfTimers() {
  const { clock, requests, stores } = countedStores();
  const functions = createFakeFunctions();
  const env = { ALERT_WEBHOOK_URL: 'https://hook.example/', ALERT_WEBHOOK_SECRET: SECRET };
  const { app } = composeMemoryApp({ stores, env, workflows: [observationAlerts, imagingStudies] });
  registerRedeliver(functions.app, app);
  registerMeasureBacklog(functions.app, app);
  registerRedriveUndelivered(functions.app, app);
  registerTasks(functions.app, app);
  const found: Record<keyof typeof requests, Record<string, number>> = { tables: {}, blobs: {} };
  const timers = functions.names().filter((name) => functions.optionsOf(name)?.schedule);
  for (const name of timers) {
    await functions.call(name); // the first call creates the tables
    clock.advance(10_000);
    Object.assign(requests, { tables: 0, blobs: 0 });
    await functions.call(name);
    found.tables[name] = requests.tables;
    found.blobs[name] = requests.blobs;
  }
  return found;
}
