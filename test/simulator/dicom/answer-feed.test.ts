import { setImmediate } from 'node:timers/promises';
import { fileOf, uids } from './files.js';
import { jsonOf, openService } from './open-service.js';

const INSTANCE = 'studies/1.2.3.4/series/1.2.3.4.5/instances/1.2.3.4.5.100';

type Entry = { sequence: number; action: string; state: string; sopInstanceUid: string; metadata?: object };
const short = (entries: Entry[]) => entries.map(({ sequence, action, state }) => `${sequence} ${action} ${state}`);

describe('when the change feed is read', () => {
  it('given an image was created, then its entry has all its properties', () => {
    const { store, json } = openService();
    store([fileOf()], 'partitions/clinic/studies');

    const [entry] = json('changefeed');

    expect(entry).toEqual({
      sequence: 1,
      partitionName: 'clinic',
      studyInstanceUid: '1.2.3.4',
      seriesInstanceUid: '1.2.3.4.5',
      sopInstanceUid: '1.2.3.4.5.100',
      action: 'create',
      timestamp: '2026-01-01T12:00:00.000Z',
      state: 'current',
      metadata: json(`partitions/clinic/${INSTANCE}/metadata`)[0],
    });
  });

  it('given an image was created, updated, deleted and created again, then each entry has the current state', async () => {
    const { store, send, remove, json } = openService();
    const states = () => short(json('changefeed?includeMetadata=false'));
    store([fileOf()]);
    expect(states()).toEqual(['1 create current']);

    const changeDataset = { PatientID: { vr: 'LO', Value: ['P9'] } };
    const body = JSON.stringify({ studyInstanceUids: ['1.2.3.4'], changeDataset });
    send('POST', 'studies/$bulkUpdate', { body });
    await setImmediate();
    expect(states()).toEqual(['1 create replaced', '2 update current']);
    expect(json('changefeed')[0].metadata['00100020'].Value).toEqual(['P9']);

    remove(INSTANCE);
    expect(states()).toEqual(['1 create deleted', '2 update deleted', '3 delete deleted']);
    expect(json('changefeed')[0].metadata).toBeUndefined();

    store([fileOf()]);
    expect(states()).toEqual(['1 create replaced', '2 update replaced', '3 delete replaced', '4 create current']);
  });

  it('given nothing has happened, then there is no entry, and no latest', () => {
    const { json, get } = openService();

    expect(json('changefeed')).toEqual([]);
    expect(get('changefeed/latest').status).toBe(204);
  });

  it('given pages and windows of time, then each has its own entries', () => {
    const { store, json, clock } = openService();
    for (let n = 0; n < 5; n += 1) {
      store([fileOf(uids('1', '1.1', `1.1.${n}`))]);
      clock.advance(60_000);
    }
    const numbers = (query: string) =>
      json(`changefeed?includeMetadata=false&${query}`).map(({ sequence }: Entry) => sequence);

    expect(numbers('')).toEqual([1, 2, 3, 4, 5]);
    expect(numbers('limit=2')).toEqual([1, 2]);
    expect(numbers('limit=2&offset=4')).toEqual([5]);
    expect(numbers('offset=5')).toEqual([]);
    expect(numbers('startTime=2026-01-01T12:01:00Z')).toEqual([2, 3, 4, 5]);
    expect(numbers('startTime=2026-01-01T12:01:00.001Z&offset=1&limit=1')).toEqual([4]);
    expect(numbers('endTime=2026-01-01T12:01:00Z')).toEqual([1]);
    expect(numbers('starttime=2026-01-01T13:01:00%2B01:00&endtime=2026-01-01T12:03:00Z')).toEqual([2, 3]);
    expect(numbers('startTime=2027-01-01T00:00:00Z')).toEqual([]);
    expect(json('changefeed/latest')).toMatchObject({ sequence: 5, sopInstanceUid: '1.1.4' });
    expect(json('changefeed/latest?includeMetadata=false').metadata).toBeUndefined();
  });

  it('given the clock goes back, then the times of entries do not', () => {
    let now = new Date('2026-01-01T12:00:00Z');
    const { clock } = openService();
    const { store, json } = openService({ clock: { ...clock, now: () => now } });
    store([fileOf(uids('1', '1.1', '1.1.1'))]);
    now = new Date('2026-01-01T11:00:00Z');
    store([fileOf(uids('1', '1.1', '1.1.2'))]);

    expect(json('changefeed').map(({ timestamp }: { timestamp: string }) => timestamp)).toEqual([
      '2026-01-01T12:00:00.000Z',
      '2026-01-01T12:00:00.000Z',
    ]);
  });

  it('given more changes than it holds, then the oldest entries are gone, and the numbers go on', () => {
    const { store, remove, json } = openService({ maxFeed: 3 });
    store([fileOf()]);
    remove(INSTANCE);
    store([fileOf()]);
    remove(INSTANCE);
    store([fileOf()]);

    expect(json('changefeed').map(({ sequence }: Entry) => sequence)).toEqual([3, 4, 5]);
    expect(json('changefeed?offset=1&limit=1')[0].sequence).toBe(4);
    expect(json('changefeed?endTime=2026-01-01T12:00:00Z')).toEqual([]);
    expect(json('changefeed?startTime=2026-01-01T12:00:00Z')).toHaveLength(3);
    expect(json('changefeed/latest').sequence).toBe(5);
  });

  it.each([
    'limit=0',
    'limit=201',
    'limit=x',
    'offset=-1',
    'offset=1.5',
    'includeMetadata=perhaps',
    'startTime=2026-01-01T12:00:00',
    'endTime=yesterday',
    'startTime=2026-01-02T00:00:00Z&endTime=2026-01-01T00:00:00Z',
    'startTime=2026-01-02T00:00:00Z&endTime=2026-01-02T00:00:00Z',
  ])('given %s, then the answer is 400', (query) => {
    expect(openService().get(`changefeed?${query}`).status).toBe(400);
  });
});

describe('when the change feed of version 1 is read', () => {
  function openV1(changes: number, options: { maxFeed?: number } = {}) {
    const { service, store, send } = openService(options);
    for (let n = 1; n <= changes; n += 1) store([fileOf(uids('1', '1.1', `1.1.${n}`))]);
    const get = (url: string) => send('GET', url, { version: 'v1' });
    const sequencesOf = (query: string): number[] =>
      jsonOf(get(`changefeed?includeMetadata=false&${query}`)).map(({ sequence }: Entry) => sequence);
    return { service, store, get, sequencesOf };
  }

  it('given an offset and a limit, then the page has the sequences after the offset, up to both together', () => {
    const { get, sequencesOf } = openV1(12);

    expect(sequencesOf('')).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(sequencesOf('offset=10')).toEqual([11, 12]);
    expect(sequencesOf('offset=3&limit=2')).toEqual([4, 5]);
    expect(sequencesOf('offset=12')).toEqual([]);
    expect(jsonOf(get('changefeed/latest'))).toMatchObject({ sequence: 12 });
    expect(jsonOf(get('changefeed?limit=1'))[0]).toHaveProperty('metadata');
  });

  it('given sequences are missing, then a page can be empty, and the next page is not', () => {
    const { service, store, sequencesOf } = openV1(5);
    service.clear();
    store([fileOf()]);

    expect(sequencesOf('offset=0&limit=5')).toEqual([]);
    expect(sequencesOf('offset=5&limit=5')).toEqual([6]);
  });

  it('given the feed has dropped its oldest entries, then a page lacks these', () => {
    const { sequencesOf } = openV1(5, { maxFeed: 3 });

    expect(sequencesOf('limit=4')).toEqual([3, 4]);
  });

  it.each(['limit=0', 'limit=101', 'offset=-1', 'includeMetadata=perhaps'])('given %s, then 400', (query) => {
    expect(openV1(0).get(`changefeed?${query}`).status).toBe(400);
  });

  it.each(['changefeed/first', 'studies', 'partitions/a/changefeed'])('given %s, then 404', (path) => {
    expect(openV1(0).get(path).status).toBe(404);
  });
});
