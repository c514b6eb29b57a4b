import type { FhirChange } from '../../../src/simulator/changes.js';
import { eventIdOf } from '../../../src/simulator/runs/event-name.js';
import { type Changes, findKnownChanges } from '../../../src/simulator/runs/find-known-changes.js';
import { resourceIndex } from '../../../src/workflows/resource-index.js';
import { composeMemoryApp } from '../../functions/memory-app.js';
import { rawFhirEvent } from '../../testing/raw-events.js';

const RUN = '0badcafe';
const SINCE = new Date('2026-01-01T11:00:00.000Z');

function start() {
  const { app, stores } = composeMemoryApp({ workflows: [resourceIndex] });
  const raw = rawFhirEvent();
  const { resourceFhirAccount: host, resourceType, resourceVersionId: version } = raw.data;
  const changeOf = (resourceId: string, fields: Partial<FhirChange> = {}): FhirChange => {
    const at = new Date('2026-01-01T12:00:00.000Z');
    return { service: 'fhir', change: 'created', host, resourceType, resourceId, version, at, ...fields };
  };
  return {
    changeOf,
    deliver: (id: string, resourceId: string) => app.pipeline.deliver([rawFhirEvent({ id, resourceId })]),
    tables: stores.tables,
    find: async (changes: Changes) => [
      ...(await findKnownChanges(stores.tables, { changes, runId: RUN, source: raw.topic, since: SINCE })),
    ],
  };
}

describe('when changes that were never delivered are looked for', () => {
  it('given jobs of some changes, then only these are known, whatever the ids of their events', async () => {
    const { changeOf, deliver, find } = start();
    await deliver('found-1', 'b');
    await deliver('found-2', 'other');

    const changes = new Map([
      [3, changeOf('a')],
      [5, changeOf('b')],
      [7, changeOf('b', { version: 99, change: 'updated' })],
    ]);

    expect(await find(changes)).toEqual([5]);
  });

  it('given only an event of the run with the same content, then the change is not known', async () => {
    const { changeOf, deliver, find } = start();
    await deliver(eventIdOf(RUN, 1), 'a');

    expect(await find(new Map([[2, changeOf('a')]]))).toEqual([]);
  });

  it('given two changes of the same content, then each needs a job of its own', async () => {
    const { changeOf, deliver, find } = start();
    const changes = new Map([
      [1, changeOf('a')],
      [2, changeOf('a')],
    ]);

    await deliver('found-1', 'a');
    expect(await find(changes)).toEqual([1]);

    await deliver('found-2', 'a');
    expect(await find(changes)).toEqual([1, 2]);
  });

  it('given no changes, then storage is not read', async () => {
    const { tables, find } = start();
    tables.list = () => Promise.reject(new Error('read'));

    expect(await find(new Map())).toEqual([]);
  });
});
