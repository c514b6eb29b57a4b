import { createTestKit, fhirEvent } from '../../../src/testing/index.js';
import type { Row, WorkflowTable } from '../../../src/workflow.js';
import { patientRegistry } from '../../../src/workflows/patient-registry/patient-registry.js';
import { updatePatient } from '../../../src/workflows/patient-registry/update-patient.js';
import { fencedTables } from '../../pipeline/fenced-tables.js';
import { createAccount } from '../../pipeline/memory-app.js';
import { runScenario, type Scenario, type StoryEvent } from '../every-crash.js';
import { HOST, MRN, type Patient, patientEvent, person, SETTINGS } from './people.js';

const PLACE = { partition: '0', key: 'k'.repeat(22) };
/** The row says nothing about this run. */
const RUN = { isNew: false, fence: undefined, completedFence: undefined };
const entries = (count: number, from = 0) =>
  Array.from({ length: count }, (_, n) => `0${String(n + from).padStart(22, '0')}`);

describe('when rows of an interrupted handler are settled', () => {
  it('given a pending entry, then it is written anyway, so that a former holder cannot remove it', async () => {
    const written: (Row | string)[] = [];
    const tables = (name: string) =>
      ({
        async change(_partition, _key, decide) {
          const there = name === 'patients' ? { version: 1, sure: '', unsure: entries(1)[0] as string } : {};
          const decided = decide(there);
          if (name !== 'patients') written.push(decided);
        },
      }) as WorkflowTable;

    await updatePatient(PLACE, { row: { version: 1 }, entries: entries(1) }, { ...RUN, tables });

    expect(written).toEqual([{}]);
  });

  it('given more pending entries than fit into a row, then they are removed first and all rows end right', async () => {
    const kit = createTestKit();
    const left = entries(1000);
    for (const entry of left) await kit.tables('patientkeys').change('0', `${entry.slice(1)}.${PLACE.key}`, () => ({}));
    await kit.tables('patients').change('0', PLACE.key, () => ({ version: 1, sure: '', unsure: left.join(' ') }));
    const wantedEntries = entries(600, 900);

    await updatePatient(PLACE, { row: { version: 2 }, entries: wantedEntries }, { ...RUN, tables: kit.tables });

    expect(kit.rows('patients').map(({ row }) => row)).toEqual([{ version: 2, sure: wantedEntries.join(' ') }]);
    expect(kit.rows('patientkeys').map(({ key }) => `0${key.slice(0, 22)}`)).toEqual(wantedEntries);
  });

  it('given a holder that lost its lease to another, then it writes nothing', async () => {
    const account = createAccount();
    const settleAs = (fence: number, version: number) => {
      const wanted = { row: { version }, entries: entries(version) };
      return updatePatient(PLACE, wanted, { ...RUN, tables: fencedTables(account, fence), fence });
    };
    const rows = () => [account.tables.inspect('patients'), account.tables.inspect('patientkeys')];
    await settleAs(2, 2);
    const before = rows();

    await expect(settleAs(1, 1)).rejects.toMatchObject({ code: 'lease-lost' });

    expect(rows()).toEqual(before);
  });
});

describe('when the cost of an event is counted', () => {
  const ana = { use: 'official' as const, family: 'Cruz', given: ['Ana'] };
  const identifier = ['1', '2', '3'].map((value) => ({ system: MRN, value }));
  const MADE = { name: [ana, { use: 'maiden', family: 'Novak' }], identifier, active: true } as Partial<Patient>;
  const RENAMED = { ...MADE, name: [ana] } as Partial<Patient>;

  /** Returns the requests of the story's last event to the workflow's own tables. */
  async function costOf(...story: (Partial<Patient> | undefined)[]) {
    const changes = story.map((fields, at) => patientEvent('p1', at + 1, fields));
    const first = patientEvent('p0', 1, MADE); // tables are made once
    const scenario = (events: readonly StoryEvent[]): Scenario => ({
      workflow: patientRegistry,
      story: [first, ...events],
      settings: SETTINGS,
      look: () => 0,
      expected: 0,
    });
    const count = async (events: readonly StoryEvent[]) => {
      const { requests } = await runScenario(scenario(events), {});
      const own = requests.filter((call) => / (patients|patientkeys)$/.test(call));
      const named = (method: string) => own.filter((call) => call.startsWith(method)).length;
      return { reads: named('read'), writes: named('commit') };
    };
    const [all, before] = [await count(changes), await count(changes.slice(0, -1))];
    return { reads: all.reads - before.reads, writes: all.writes - before.writes };
  }

  it.each([
    { given: 'a patient of 2 names and 3 identifiers comes', story: [MADE], cost: { reads: 0, writes: 2 } },
    { given: 'nothing of the names changes', story: [MADE, { ...MADE, active: false }], cost: { reads: 1, writes: 1 } },
    { given: 'a name of five letters goes', story: [MADE, RENAMED], cost: { reads: 2, writes: 3 } },
    { given: 'it is deleted', story: [MADE, undefined], cost: { reads: 7, writes: 3 } },
  ])('given $given, then $cost', async ({ story, cost }) => {
    expect(await costOf(...story)).toEqual(cost);
  });
});

describe('when the app starts', () => {
  const setup = (settings: Record<string, string>) => patientRegistry.setup((name) => settings[name]);
  const { LOOKUP_KEY } = SETTINGS;
  const NO_HOSTS = { kind: 'off', code: 'fhir-hosts-absent' };

  it.each([
    { given: 'hosts and a key', settings: SETTINGS, expected: { kind: 'on' } },
    { given: 'the simulator and a key', settings: { SIMULATOR: 'on', LOOKUP_KEY }, expected: { kind: 'on' } },
    { given: 'no hosts', settings: { LOOKUP_KEY }, expected: NO_HOSTS },
    { given: 'a simulator that is off', settings: { LOOKUP_KEY, SIMULATOR: 'off' }, expected: NO_HOSTS },
    { given: 'no key', settings: { FHIR_HOSTS: HOST }, expected: { kind: 'off', code: 'lookup-key-absent' } },
  ])('given $given, then $expected', ({ settings, expected }) => {
    expect(setup(settings as Record<string, string>)).toEqual(expected);
  });

  it.each([
    { given: 'a short key', key: Buffer.alloc(31).toString('base64'), length: 44 },
    { given: 'a key that is no base64', key: 'correct horse battery staple, correct horse', length: 43 },
  ])('given $given, then the problem says what to do and does not show the key', ({ key, length }) => {
    for (const hosts of [{ FHIR_HOSTS: HOST }, {}])
      expect(setup({ ...hosts, LOOKUP_KEY: key })).toEqual({
        kind: 'wrong',
        problems: [
          `LOOKUP_KEY is ${length} characters that are no such key, must be 32 random bytes or more in base64: openssl rand -base64 32`,
        ],
      });
  });
});

describe('when the key changes', () => {
  it('given rows of the former key, then only rewritten patients are found, and no old entry stays', async () => {
    const kit = createTestKit({ settings: SETTINGS });
    const event = fhirEvent({ resourceId: 'p1' });
    const resource = person('p1', 1, { name: [{ family: 'Cruz' }] });
    await kit.run(patientRegistry, event, { resource });
    const former = kit.rows('patientkeys').map(({ key }) => key);
    const other = createTestKit({ settings: { ...SETTINGS, LOOKUP_KEY: Buffer.alloc(32, 8).toString('base64') } });
    for (const table of ['patients', 'patientkeys']) {
      for (const { partition, key, row } of kit.rows(table))
        await other.tables(table).change(partition, key, () => row);
    }

    expect(await other.lookup(patientRegistry, { name: 'cruz' })).toMatchObject({ patients: [] });
    await other.run(patientRegistry, event, { resource });
    expect(await other.lookup(patientRegistry, { name: 'cruz' })).toMatchObject({ patients: [{ resourceId: 'p1' }] });
    expect(other.rows('patientkeys').filter(({ key }) => former.includes(key))).toEqual([]);
  });
});
