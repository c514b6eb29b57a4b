import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import { createFakeClock } from '../../src/testing/index.js';
import { defineWorkflow, fhir, RetryAfterError, seconds } from '../../src/workflow.js';
import { rawFhirEvent } from '../testing/raw-events.js';
import { composeMemoryApp } from './memory-app.js';

const latest = defineWorkflow({
  name: 'latest',
  on: fhir('*'),
  ordering: 'latest',
  handle: (_event, { tables }) => tables('own').change('p', 'k', () => ({ n: 1 })),
});

describe('when the app is composed', () => {
  it('given no storage of the workflows, then all tables are in one place', async () => {
    const { app, stores } = composeMemoryApp({ workflows: [latest] });

    await app.pipeline.deliver([rawFhirEvent()]);

    expect(await stores.tables.list('')).toEqual(['appstate', 'ledger20260101', 'own', 'watermarks']);
  });

  it('given storage of the workflows, then their tables and the watermarks are there, and the rest is not', async () => {
    const workflowTables = createMemoryTableStore({ clock: createFakeClock() });
    const { app, stores } = composeMemoryApp({ workflows: [latest], stores: { workflowTables } });

    await app.pipeline.deliver([rawFhirEvent()]);

    expect(await stores.tables.list('')).toEqual(['appstate', 'ledger20260101']);
    expect(await workflowTables.list('')).toEqual(['own', 'watermarks']);
  });

  it('given two apps, then they are two instances', () => {
    const [one, other] = [composeMemoryApp().app, composeMemoryApp().app];
    expect(one.instance.id).not.toBe(other.instance.id);
    expect(one.instance.startedAt).toEqual(new Date('2026-01-01T12:00:00Z'));
  });

  it('given a machine whose clock is a day ahead, then its writes after the first answer use the clock of storage', async () => {
    const failing = defineWorkflow({
      name: 'failing',
      on: fhir('*'),
      handle() {
        throw new RetryAfterError('busy', seconds(10));
      },
    });
    const { app, stores } = composeMemoryApp({ workflows: [failing], skewMs: 24 * 3_600_000 });

    await app.pipeline.deliver([rawFhirEvent()]);

    const [row] = stores.tables.inspect('waiting');
    expect(row?.key.slice(0, 24)).toMatch(/^2026-01-01T12:00:1[01]\.\d{3}Z$/);
    expect(app.clock.now().getTime()).toBeLessThanOrEqual(Date.parse('2026-01-01T12:00:01.000Z'));
  });

  it('given the settings, then the pipeline uses them', async () => {
    const { app, stores } = composeMemoryApp({ workflows: [latest], env: { WORKSPACES: '/subscriptions/another' } });

    await app.pipeline.deliver([rawFhirEvent()]);

    expect(await stores.tables.list('')).toEqual(['appstate']);
    expect(app.telemetry.counters.eventsInvalid).toBe(1);
  });
});
