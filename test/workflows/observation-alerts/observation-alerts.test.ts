import type { Observation } from 'fhir/r4.js';
import { createTestKit, fhirEvent } from '../../../src/testing/index.js';
import { placeOfAlert } from '../../../src/workflows/observation-alerts/alert.js';
import { observationAlerts } from '../../../src/workflows/observation-alerts/observation-alerts.js';
import { HOST, observation, quantity } from './observations.js';
import { rulesFile } from './rules-file.js';

const rules = [
  { name: 'high', code: '2823-3', above: 6, unit: 'mmol/L', severity: 'critical' },
  { name: 'rise', code: '2823-3', rise: 1, unit: 'mmol/L', within: '48h', severity: 'warning' },
];
const settings = { ALERT_RULES: rulesFile({ rules }), SIMULATOR: 'on' };

/** The value is in mmol/L. */
type Step = { id?: string; gone?: true; value?: number; at?: string; status?: Observation['status'] };

function start() {
  const kit = createTestKit({ settings });
  const versions = new Map<string, number>();
  return {
    kit,
    /** A change of an Observation, and its event. */
    async happens({ id = 'o-1', gone, value = 5, at = '2026-03-02T08:00:00Z', status = 'final' }: Step) {
      const version = (versions.get(id) ?? 0) + 1;
      versions.set(id, version);
      const change = gone ? 'deleted' : version === 1 ? 'created' : 'updated';
      const valueQuantity = quantity(`${value} mmol/L`);
      const meta = { versionId: String(version) };
      const resource = { ...observation({ id, status, effectiveDateTime: at, valueQuantity }), meta };
      const event = fhirEvent({ resourceType: 'Observation', resourceId: id, host: HOST, version, change });
      const result = await kit.run(observationAlerts, event, { resource: gone ? undefined : resource });
      expect(result).toEqual({ kind: 'completed' });
    },
    alerts: () =>
      kit
        .rows('alerts')
        .map(({ row }) => `${row.observationId} ${row.rule} ${row.status}`)
        .sort(),
  };
}

describe('when results arrive', () => {
  it('given a result past a limit, then its alert has the facts', async () => {
    const { kit, happens } = start();

    await happens({ value: 6.5 });

    expect(kit.rows('alerts').map(({ row }) => row)).toEqual([
      {
        host: HOST,
        observationId: 'o-1',
        version: 1,
        rule: 'high',
        severity: 'critical',
        subject: 'Patient/p-1',
        takenAt: '2026-03-02T08:00:00.000Z',
        by: 'limit',
        value: 6.5,
        unit: 'mmol/L',
        side: 'above',
        threshold: 6,
        status: 'active',
        raisedAt: '2026-01-01T12:01:00.000Z',
        revision: 1,
        sentRevision: 0,
      },
    ]);
  });

  it('given a normal result, or a result without a rule, then there is no alert', async () => {
    const { kit, happens } = start();

    await happens({ value: 5 });

    expect(kit.rows('alerts')).toEqual([]);
  });

  it('given a result that is corrected, entered in error or deleted, then the alert is withdrawn with the reason', async () => {
    const { kit, happens } = start();
    const because = () => kit.rows('alerts').map(({ row }) => `${row.observationId} ${row.status} ${row.because}`);
    for (const id of ['a', 'b', 'c']) await happens({ id, value: 6.5, at: `2026-0${'abc'.indexOf(id) + 1}-01` });

    await happens({ id: 'a', value: 5, status: 'corrected', at: '2026-01-01' });
    await happens({ id: 'b', value: 6.5, status: 'entered-in-error', at: '2026-02-01' });
    await happens({ id: 'c', gone: true });

    expect(because().sort()).toEqual(['a withdrawn corrected', 'b withdrawn entered-in-error', 'c withdrawn deleted']);
  });

  it('given the event twice, then there is one alert, raised once', async () => {
    const { kit, happens } = start();
    await happens({ value: 6.5 });
    const before = kit.rows('alerts');

    await happens({ value: 6.5 });

    expect(kit.rows('alerts')).toMatchObject([{ row: { revision: 1, raisedAt: before[0]?.row.raisedAt, version: 2 } }]);
  });
});

describe('when an alert could not be sent', () => {
  it('given another version with the same facts, then the alert stays marked; with another value it does not', async () => {
    const { kit, happens } = start();
    await happens({ value: 6.5 });
    const { partition, key } = placeOfAlert({ host: HOST, observationId: 'o-1' }, 'high');
    await kit.tables('alerts').change(partition, key, (row) => ({ ...row, sentRevision: 1, notSent: true }));

    await happens({ value: 6.5 });
    const [same] = kit.rows('alerts');
    await happens({ value: 7.5 });
    const [other] = kit.rows('alerts');

    expect(same?.row).toMatchObject({ version: 2, revision: 1, sentRevision: 1, notSent: true });
    expect(other?.row).toMatchObject({ version: 3, revision: 2, sentRevision: 1 });
    expect(other?.row).not.toHaveProperty('notSent');
  });
});

describe('when a rule compares with the previous result', () => {
  const MORNING = '2026-03-02T08:00:00Z';
  const NOON = '2026-03-02T12:00:00Z';
  const EVENING = '2026-03-02T20:00:00Z';

  const a = { id: 'a', value: 4, at: MORNING };
  const b = { id: 'b', value: 5.5, at: NOON };

  it.each<{ given: string; steps: Step[]; then: string[] }>([
    { given: 'they arrive in order', steps: [a, b], then: ['b rise active'] },
    { given: 'the earlier arrives last', steps: [b, a], then: ['b rise active'] },
    {
      given: 'a result that arrives in between',
      steps: [a, { ...b, id: 'c', at: EVENING }, { ...b, value: 5 }],
      then: ['b rise active', 'c rise withdrawn'],
    },
    {
      given: 'it was longer ago than the rule looks',
      steps: [{ ...a, at: '2026-02-28T07:00:00Z' }, b],
      then: [],
    },
  ])('given $given, then $then', async ({ steps, then }) => {
    const { alerts, happens } = start();

    for (const step of steps) await happens(step);

    expect(alerts()).toEqual(then);
  });

  it('given the previous result is entered in error, moved or deleted, then the result before it counts again', async () => {
    for (const step of [{ status: 'entered-in-error' }, { at: '2026-03-09' }, { gone: true }] as const) {
      const { alerts, happens } = start();
      await happens({ id: 'a', value: 4, at: MORNING });
      await happens({ id: 'b', value: 4.9, at: NOON });
      await happens({ id: 'c', value: 5.5, at: EVENING });
      expect(alerts()).toEqual([]);

      await happens({ id: 'b', value: 4.9, at: NOON, ...step });

      expect(alerts()).toEqual(['c rise active']);
    }
  });
});

describe('when a patient has many results', () => {
  const minute = (n: number) => new Date(Date.UTC(2026, 2, 2, 8, n)).toISOString();

  it('given more than a page within the time of the rule, then the nearest earlier result counts', async () => {
    const { alerts, happens } = start();
    for (let n = 0; n < 1_500; n += 1) await happens({ id: `m-${n}`, value: 4, at: minute(n) });

    await happens({ id: 'last', value: 5, at: minute(1_500) });
    await happens({ id: 'first', value: 2, at: minute(-1) });

    expect(alerts()).toEqual(['last rise active', 'm-0 rise active']);
  });

  it('given many at one moment, then the last of them by id is the previous result', async () => {
    const { kit, happens } = start();
    const ids = Array.from({ length: 30 }, (_, n) => `s-${n + 10}`);
    for (const id of ids) await happens({ id, value: 4 + Number(id.slice(2)) / 1_000, at: minute(0) });

    await happens({ id: 's-10a', value: 6, at: minute(0) });
    await happens({ id: 't', value: 7, at: minute(1) });

    const seen = kit.rows('alerts').filter(({ row }) => row.rule === 'rise' && row.status === 'active');
    expect(seen.map(({ row }) => `${row.observationId} after ${row.previousObservationId}`).sort()).toEqual([
      's-10a after s-10',
      't after s-39',
    ]);
  });
});

describe('when alerts are looked up', () => {
  it('given an Observation, a patient or a status, then the matching alerts are found, the newest result first', async () => {
    const { kit, happens } = start();
    await happens({ id: 'a', value: 4, at: '2026-03-01' });
    await happens({ id: 'b', value: 6.5, at: '2026-03-02' });
    await happens({ id: 'c', value: 7, at: '2026-03-03' });
    await happens({ id: 'c', value: 5, at: '2026-03-03' });
    const ask = async (query: object) => {
      const { alerts, isMore } = await kit.lookup(observationAlerts, query);
      const found = alerts as { observationId: string; rule: string }[];
      return [...found.map(({ observationId, rule }) => `${observationId} ${rule}`), ...(isMore ? ['…'] : [])];
    };

    expect(await ask({ observationId: 'b' })).toEqual(['b high', 'b rise']);
    expect(await ask({ patientId: 'p-1' })).toEqual(['c high', 'b high', 'b rise']);
    expect(await ask({ patientId: 'p-1', status: 'active' })).toEqual(['b high', 'b rise']);
    expect(await ask({ patientId: 'p-2' })).toEqual([]);
    expect(await ask({ status: 'active', severity: 'critical' })).toEqual(['b high']);
    expect(await ask({ status: 'active', limit: 1 })).toEqual(['b high', '…']);
  });
});
