import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import { createFakeClock, dicomEvent, fhirEvent } from '../../src/testing/index.js';
import type { Row } from '../../src/workflow.js';
import type { StoryEvent } from './every-crash.js';
import { watchOrder } from './row-order.js';

const host = 'h.fhir.example';
const patient = (version: number, content = true): StoryEvent => ({
  event: fhirEvent({ host, resourceId: 'p1', version, change: content ? 'updated' : 'deleted' }),
  content: content ? { resourceType: 'Patient' } : undefined,
});
const image = (version: number): StoryEvent => ({ event: dicomEvent({ instanceUid: '1.2.3', version }) });
const STORY = [patient(1), patient(2), patient(3, false), image(1), image(2)];
const shown = (version: number): Row => ({ host, resourceId: 'p1', version });
const held = ({ event }: StoryEvent): Row => ({ instanceUid: '1.2.3', version: event.version, time: event.time ?? '' });

const revision = (revision: number): Row => ({ revision, period: 1 });
const BACK = 'version went from 1 to 0';
const AGAIN = 'version went from 1 to 1, removed in between';
const OLDER = 'version went from 4 to 3';

/** Writes `rows` to one place, one after the other (undefined: removes the row), and returns the reported faults. */
async function reported(table: string, rows: readonly (Row | undefined)[], story = STORY): Promise<string[]> {
  const store = createMemoryTableStore({ clock: createFakeClock() });
  const wrongs: string[] = [];
  watchOrder(store, story, (wrong) => wrongs.push(wrong.slice(`${table} p k: `.length)));
  await store.create(table);
  for (const row of rows) {
    const { stored } = await store.read(table, 'p', 'k');
    const written = row ?? { _removed: true };
    const { etag } = stored ?? {};
    const write = { key: 'k', row: written };
    await store.commit(table, 'p', [
      etag === undefined ? { kind: 'insert', ...write } : { kind: 'replace', ...write, etag },
    ]);
  }
  return wrongs;
}

describe('when every write of a row is watched', () => {
  it.each<{ given: string; table: string; rows: (Row | undefined)[]; then: string[] }>([
    { given: 'newer and newer versions', table: 'patients', rows: [shown(1), shown(2), shown(2)], then: [] },
    { given: 'an older version for a moment', table: 'patients', rows: [shown(2), shown(1), shown(2)], then: [BACK] },
    { given: 'a removal', table: 'patients', rows: [shown(2), undefined], then: [] },
    { given: 'a removal, and the same again', table: 'patients', rows: [shown(2), undefined, shown(2)], then: [AGAIN] },
    { given: 'an older image', table: 'studyinstances', rows: [held(image(2)), held(image(1))], then: [OLDER] },
    {
      given: 'an older revision',
      table: 'studies',
      rows: [revision(2), revision(1)],
      then: ['revision went from 2 to 1'],
    },
    {
      given: 'a list that lists again',
      table: 'openstudies',
      rows: [{ period: 1 }, undefined, { period: 1 }],
      then: [],
    },
    { given: 'a table of another workflow', table: 'others', rows: [{ version: 2 }, { version: 1 }], then: [] },
  ])('given $given, then the check reports the row, or not', async ({ table, rows, then }) => {
    expect(await reported(table, rows)).toEqual(then);
  });

  it('given a removal without a later deletion, then the check reports the removal', async () => {
    const story = [patient(3, false), patient(1), patient(2)];

    expect(await reported('patients', [shown(2), undefined], story)).toEqual(['removed, and nobody had deleted it']);
  });
});
