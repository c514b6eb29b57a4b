import type { HealthEvent } from '../../src/events/health-event.js';
import { keyOf } from '../../src/events/key.js';
import { type Address, addressOf, ledgerPlaceOf } from '../../src/storage/address.js';
import type { Ledger } from '../../src/storage/ledger.js';
import type { TableStore } from '../../src/storage/table-store.js';
import { fhirEvent } from '../../src/testing/index.js';
import { openLedger, recordOf } from './ledger.contract.js';

const NOON = '2026-03-14T12:00:00.000Z';
const WORKFLOW = 'tally';

/** Version 1 of a patient, by the service's event or, with an id that begins `reconciled-`, by its history. */
const eventOf = (id: string, time = NOON) => fhirEvent({ id, time, version: 1, resourceId: 'patient-1' });
const addressFor = (event: HealthEvent) => addressOf(keyOf(event), WORKFLOW);
const numberOf = (address: Address) => ledgerPlaceOf(address).number;

/** The contract of a ledger in which one change has several records. `makeTables` gives empty tables. */
export function incarnationsContract(makeTables: () => TableStore): void {
  let ledger: Ledger;
  let tables: TableStore;
  let account: ReturnType<typeof openLedger>;

  beforeEach(() => {
    account = openLedger(makeTables());
    ({ ledger, tables } = account);
  });

  /** Writes the record of `event` at `address`. */
  async function claim(event: HealthEvent, address = addressFor(event)): Promise<Address> {
    expect(await account.write(address, recordOf({ owner: event.id }), { event })).toMatchObject({ kind: 'written' });
    return address;
  }
  const locate = (event: HealthEvent) => ledger.locate(addressFor(event), event);
  const ownerAt = async (event: HealthEvent) => (await locate(event)).current?.record.owner;

  it('given an event that has a record, then it gets the address of that record', async () => {
    await claim(eventOf('event-1'));

    expect(await locate(eventOf('event-1'))).toMatchObject({
      address: addressFor(eventOf('event-1')),
      current: { eventId: 'event-1', record: { owner: 'event-1' }, ageMs: expect.any(Number) },
    });
  });

  it.each([
    { given: 'of a time an hour apart', time: '2026-03-14T13:00:00.000Z' },
    { given: 'of the same time', time: NOON },
  ])('given another event of the same change, $given, then its address has the next number', async ({ time }) => {
    await claim(eventOf('event-1'));
    const second = await locate(eventOf('event-2', time));
    await claim(eventOf('event-2', time), second.address);
    const third = await locate(eventOf('event-3'));

    expect([second, third].map(({ address, current }) => [numberOf(address), current])).toEqual([
      [1, undefined],
      [2, undefined],
    ]);
    expect(await ownerAt(eventOf('event-1'))).toBe('event-1');
    expect(await ownerAt(eventOf('event-2', time))).toBe('event-2');
  });

  it('given a workflow whose name begins with this name, then its records do not count', async () => {
    const event = eventOf('event-1');
    await claim(event, addressOf(keyOf(event), `${WORKFLOW}-too`));

    expect(numberOf((await locate(eventOf('event-2'))).address)).toBe(0);
  });

  it('given a record of reconciliation, then the first event near its time adopts it, and the next does not', async () => {
    await claim(eventOf('reconciled-1', '2026-03-14T12:00:01.000Z'));

    const first = await locate(eventOf('event-1'));
    const again = await locate(eventOf('event-1'));
    const second = await locate(eventOf('event-2'));

    expect(first).toMatchObject({ current: { record: { owner: 'reconciled-1' } } });
    expect(again).toEqual({ ...first, current: { ...first.current, ageMs: expect.any(Number) } });
    expect([numberOf(second.address), second.current]).toEqual([1, undefined]);
  });

  it('given a record of reconciliation, then an event five minutes later does not adopt it', async () => {
    await claim(eventOf('reconciled-1'));

    expect(numberOf((await locate(eventOf('event-1', '2026-03-14T12:05:00.000Z'))).address)).toBe(1);
    expect(numberOf((await locate(eventOf('event-1', '2026-03-14T12:04:59.000Z'))).address)).toBe(0);
  });

  it('given two events that adopt one record at once, then one of them has it', async () => {
    await claim(eventOf('reconciled-1'));

    const places = await Promise.all(['event-1', 'event-2'].map((id) => locate(eventOf(id))));

    expect(places.map(({ address }) => numberOf(address)).sort()).toEqual([0, 1]);
  });

  it('given a record of an event, then a found change near its time gets that record', async () => {
    await claim(eventOf('event-1'));

    expect(await ownerAt(eventOf('reconciled-1', '2026-03-14T12:00:02.000Z'))).toBe('event-1');
    expect(numberOf((await locate(eventOf('reconciled-2', '2026-03-14T14:00:00.000Z'))).address)).toBe(1);
  });

  describe('near midnight', () => {
    const before = eventOf('event-1', '2026-03-14T23:59:58.000Z');
    const found = eventOf('reconciled-1', '2026-03-15T00:00:01.000Z');

    it('given a record on the day of the event, then a change that history dates on the next day gets that record', async () => {
      await claim(before);

      expect(await locate(found)).toMatchObject({ address: addressFor(before), current: { eventId: 'event-1' } });
    });

    it('given a record of reconciliation on the next day, then the event of the day before adopts it', async () => {
      const { address } = await locate(found);
      await claim(found, address);

      const refused = await account.write(addressFor(before), recordOf(), { event: before });

      expect(ledgerPlaceOf(address).day).toBe('20260315');
      expect(refused).toMatchObject({ kind: 'conflict', current: { eventId: 'reconciled-1' } });
      expect(await locate(before)).toMatchObject({ address, current: { record: { owner: 'reconciled-1' } } });
    });

    it('given reconciliation died after its guard, then the event and the next comparison have one record on the day of history', async () => {
      await locate(found);

      const place = await locate(before);
      await claim(before, place.address);

      expect(ledgerPlaceOf(place.address).day).toBe('20260315');
      expect(await locate(found)).toMatchObject({ address: place.address, current: { eventId: 'event-1' } });
    });

    it('given the guard of another incarnation, then an event long before takes the next number of its day', async () => {
      await locate(found);

      expect((await locate(eventOf('event-0', '2026-03-14T09:00:00.000Z'))).address).toMatch(/^20260314\..*\.1$/);
    });
  });

  describe('when reconciliation asks whether a change is known', () => {
    it('given no record, then the change is unknown', async () => {
      expect(await ledger.knows(eventOf('reconciled-1'))).toBe(false);
    });

    it('given a record of any workflow near its time, then the change is known; for another workflow it is unknown', async () => {
      await claim(eventOf('event-1'));

      expect(await ledger.knows(eventOf('reconciled-1', '2026-03-14T12:00:02.000Z'))).toBe(true);
      expect(await ledger.knows(eventOf('reconciled-1'), { workflow: WORKFLOW })).toBe(true);
      expect(await ledger.knows(eventOf('reconciled-1'), { workflow: 'other' })).toBe(false);
    });

    it('given a workflow that has probably run, then any record of the change still counts', async () => {
      await claim(eventOf('event-1'));

      expect(await ledger.knows(eventOf('reconciled-1'), { likely: WORKFLOW })).toBe(true);
      expect(await ledger.knows(eventOf('reconciled-1'), { likely: 'other' })).toBe(true);
      expect(await ledger.knows(eventOf('reconciled-1', '2026-03-14T18:00:00.000Z'), { likely: WORKFLOW })).toBe(false);
    });

    it('given a record of another incarnation, then the change is unknown', async () => {
      await claim(eventOf('event-1'));

      expect(await ledger.knows(eventOf('reconciled-1', '2026-03-14T18:00:00.000Z'))).toBe(false);
    });

    it('given a record on the other side of midnight, then the change is known; given only a guard, then it is unknown', async () => {
      const found = eventOf('reconciled-1', '2026-03-15T00:00:01.000Z');
      await locate(found);
      expect(await ledger.knows(found)).toBe(false);

      await claim(eventOf('event-2', '2026-03-14T23:58:00.000Z'), (await locate(eventOf('event-2'))).address);
      expect(await ledger.knows(found)).toBe(true);
    });
  });

  describe('when the records of an event id are asked for', () => {
    const idOf = (event: HealthEvent) => keyOf(event).id;

    it('given two events of one change, then each has its own record', async () => {
      await claim(eventOf('event-1'));
      await claim(eventOf('event-2'), (await locate(eventOf('event-2'))).address);

      for (const id of ['event-1', 'event-2']) {
        const found = await ledger.find(idOf(eventOf(id)));
        expect(found.map(({ record, workflow, event }) => [record.owner, workflow, event.id])).toEqual([
          [id, WORKFLOW, id],
        ]);
      }
    });

    it('given an event that has adopted a record, then both ids find the record', async () => {
      await claim(eventOf('reconciled-1'));
      await locate(eventOf('event-1'));

      for (const id of ['event-1', 'reconciled-1'])
        expect(await ledger.find(idOf(eventOf(id)))).toMatchObject([{ record: { owner: 'reconciled-1' } }]);
    });
  });

  it('given a day that is over, then entries, guards and adoptions do not keep its table', async () => {
    await claim(eventOf('reconciled-1'));
    await locate(eventOf('event-1'));
    await locate(eventOf('reconciled-2', '2026-03-13T23:59:59.000Z'));
    const { current, address } = await locate(eventOf('event-1'));
    await account.write(address, recordOf({ state: { kind: 'settled', result: 'completed' } }), {
      etag: current?.etag ?? '',
    });

    await ledger.expire(new Date(Date.now() + 30 * 24 * 3_600_000 + Date.UTC(2099, 0, 1)), 7);

    expect((await tables.list('ledger')).filter((name) => name.startsWith('ledger2026'))).toEqual([]);
  });
}
