import { digest } from '../../../../src/digest.js';
import { resourceOf } from '../../../../src/events/order.js';
import { checkAlerts } from '../../../../src/simulator/runs/table-checks/observation-alerts.js';
import { createMemoryTableStore } from '../../../../src/storage/memory-table-store.js';
import { createFakeClock, createTestKit, fhirEvent } from '../../../../src/testing/index.js';
import type { FhirResource, Row } from '../../../../src/workflow.js';
import { observationAlerts } from '../../../../src/workflows/observation-alerts/observation-alerts.js';
import { observation, quantity } from '../../../workflows/observation-alerts/observations.js';
import { createScenario, createServices } from './run-services.js';

const HOST = 'run.fhir.example';

/** Creatinine of one patient, hour by hour; and two potassiums that are too high. The rules are those of the app. */
const RESULTS = [
  { id: 'c-1', code: '2160-0', hour: 1, value: '1.0 mg/dL' },
  { id: 'c-2', code: '2160-0', hour: 2, value: '1.4 mg/dL' },
  { id: 'c-3', code: '2160-0', hour: 3, value: '1.5 mg/dL' },
  { id: 'c-4', code: '2160-0', hour: 4, value: '1.9 mg/dL' },
  { id: 'k-1', code: '2823-3', hour: 1, value: '6.4 mmol/L' },
  { id: 'k-2', code: '2823-3', hour: 2, value: '6.6 mmol/L' },
  { id: 'gone', code: '2823-3', hour: 3, value: '6.8 mmol/L' },
];

/** The state of a service, and the rows that the workflow makes of it; `change` is what has become of one of them. */
async function check(
  change: (key: string, row: Row) => Row | undefined = (_, row) => row,
  { hasCompleted = (_n: number): boolean => true, isWhole = true } = {},
) {
  const clock = createFakeClock();
  const services = createServices(clock);
  const scenario = createScenario(services, clock);
  const kit = createTestKit();
  const newest = new Map<string, { version: number; change: string; n: number }>();
  for (const [n, { id, code, hour, value }] of RESULTS.entries()) {
    const resource = observation({
      id,
      code: { coding: [{ system: 'http://loinc.org', code }] },
      effectiveDateTime: `2026-03-02T0${hour}:00:00Z`,
      valueQuantity: quantity(value),
    });
    scenario.update({ ...resource, id });
    const event = fhirEvent({ resourceType: 'Observation', resourceId: id, host: HOST });
    newest.set(digest(resourceOf(event)), { version: 1, change: 'created', n });
    await kit.run(observationAlerts, event, { resource: { ...resource, meta: { versionId: '1' } } as FhirResource });
  }
  scenario.remove('Observation', 'gone');
  const gone = fhirEvent({ resourceType: 'Observation', resourceId: 'gone', host: HOST, change: 'deleted' });
  await kit.run(observationAlerts, gone);

  const tables = createMemoryTableStore({ clock });
  await tables.create('alerts');
  for (const { partition, key, row } of kit.rows('alerts')) {
    const changed = change(`${row.observationId} ${row.rule}`, row);
    if (changed) await tables.commit('alerts', partition, [{ kind: 'insert', key, row: changed }]);
  }
  return checkAlerts.check({ tables, services, newest, since: new Date(0), isWhole, hasCompleted });
}

describe('when the alerts of a run are compared with its service', () => {
  it('given alerts as the workflow makes them, then there is no problem', async () => {
    expect(await check()).toEqual({ rows: 5, problems: [] });
  });

  it.each([
    {
      alert: 'gone potassium-critical',
      change: { status: 'active' },
      says: 'an alert is active for a result that is gone',
    },
    { alert: 'k-1 potassium-critical', change: { version: 0 }, says: 'an alert is active at version 0, not 1' },
    {
      alert: 'k-1 potassium-critical',
      change: { value: 6.5 },
      says: 'an alert is active at version 1, with another value',
    },
    {
      alert: 'k-1 potassium-critical',
      change: { threshold: 6.5 },
      says: 'an alert is active at version 1, and its limit is not passed',
    },
    {
      alert: 'c-4 creatinine-rise',
      change: { previousObservationId: 'c-2' },
      says: 'an alert is active at version 1, and compares with what is not the previous result',
    },
    {
      alert: 'c-4 creatinine-rise',
      change: { threshold: 0.5 },
      says: 'an alert is active at version 1, and the difference is not there',
    },
    {
      alert: 'k-2 potassium-critical',
      change: { status: 'withdrawn' },
      says: 'potassium-critical has no alert for a result at version 1',
    },
    {
      alert: 'c-2 creatinine-rise',
      change: { status: 'withdrawn' },
      says: 'creatinine-rise has no alert for a result at version 1',
    },
  ])('given $alert with $change, then it is a problem without a value', async ({ alert, change, says }) => {
    const { problems } = await check((name, row) => (name === alert ? { ...row, ...change } : row));

    expect(problems).toContain(says);
  });

  it('given a row is missing, then it is a problem', async () => {
    const { problems } = await check((name, row) => (name === 'k-1 potassium-critical' ? undefined : row));

    expect(problems).toEqual(['potassium-critical has no alert for a result at version 1']);
  });

  it('given their newest events have not been completed, or rows of another service, then there is no problem', async () => {
    const wrong = (_: string, row: Row) => ({ ...row, status: 'active', version: 0 });

    expect((await check(wrong, { hasCompleted: () => false })).problems).toEqual([]);
    expect(await check((name, row) => ({ ...wrong(name, row), host: 'other' }))).toEqual({ rows: 0, problems: [] });
  });

  it.each([
    { alert: 'c-4 creatinine-rise', change: { previousObservationId: 'c-2' }, problems: 0 },
    { alert: 'c-2 creatinine-rise', change: { status: 'withdrawn' }, problems: 0 },
    { alert: 'k-2 potassium-critical', change: { status: 'withdrawn' }, problems: 1 },
  ])('given changes that were never delivered, and $alert with $change, then $problems problems', async (given) => {
    const change = (name: string, row: Row) => (name === given.alert ? { ...row, ...given.change } : row);

    expect((await check(change, { isWhole: false })).problems).toHaveLength(given.problems);
  });
});
