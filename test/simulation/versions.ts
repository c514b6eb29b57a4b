import type { HealthEvent } from '../../src/events/health-event.js';
import { keyOf } from '../../src/events/key.js';
import { type Address, addressOf, ledgerPlaceOf } from '../../src/storage/address.js';
import type { MemoryTableStore } from '../../src/storage/memory-table-store.js';
import type { Row } from '../../src/storage/table-store.js';
import { watchWrites } from '../row-history.js';

/** The workflow with `ordering: 'latest'`, and its table: a row for each resource, with the `order` of its version. */
export const NEWEST = 'newest';

/** The truth about an event: its resource, and the number of the change, counted from the first. */
export type Truth = { readonly resource: string; readonly order: number };

/** When each incarnation of a resource began. The day of the first has long been over. */
export const LIVES = [Date.UTC(2026, 2, 11, 8), Date.UTC(2026, 2, 14, 8), Date.UTC(2026, 2, 15, 8)];

/** Versions 1 to 9 of the first incarnation come before versions 1 to 9 of the next. */
export function truthOf(event: HealthEvent): Truth {
  const resource = event.service === 'fhir' ? event.resourceId.toLowerCase().replaceAll(/[^a-z0-9]/g, '') : '';
  return { resource, order: event.version + 100 * LIVES.findLastIndex((life) => Date.parse(event.time ?? '') >= life) };
}

/**
 * Checks `ordering: 'latest'` at every step: each write of each row of the table and of the watermarks, and the fence
 * of each handler. Reports to `report` what goes back.
 */
export function watchVersions(tables: MemoryTableStore, report: (wrong: string) => void) {
  const truth = new Map<string, Truth>();
  /** By resource and order, the first and the last fence that handlers of this version had. */
  const fences = new Map<string, Map<number, { first: number; last: number }>>();
  watchWrites(tables, ({ table, key, before, after }) => {
    if (table === NEWEST) lookAtRow(key, before, after);
    if (table === 'watermarks') lookAtMark(key, before, after);
  });

  return {
    know(event: HealthEvent): void {
      const { eventKey } = ledgerPlaceOf(addressOf(keyOf(event), NEWEST));
      truth.set(eventKey, truthOf(event));
    },

    /** A handler of `event` starts with `fence`. */
    start(event: HealthEvent, fence: number): void {
      const { resource, order } = truthOf(event);
      const all = fences.get(resource) ?? new Map<number, { first: number; last: number }>();
      fences.set(resource, all);
      all.set(order, { first: all.get(order)?.first ?? fence, last: fence });
      for (const [other, { first, last }] of all) {
        if ((other > order && first < fence) || (other < order && last > fence))
          report(
            `an older version has a higher fence: ${resource} ${order} has ${fence}, ${other} ${first} to ${last}`,
          );
      }
    },

    /** Of the versions that have completed the newest stands; a version is superseded only by one that has started. */
    lookAtRest(resultOf: (address: Address) => unknown, known: Iterable<Address>): void {
      for (const address of known) {
        const said = truth.get(ledgerPlaceOf(address).eventKey);
        if (!said || ledgerPlaceOf(address).workflow !== NEWEST) continue;
        const result = resultOf(address);
        if (result === 'superseded' && startedOf(said.resource) <= said.order)
          report(`superseded by nothing that has started: ${address}`);
        if (result === 'completed' && heldOf(said.resource) < said.order)
          report(`completed, and the table holds an older version: ${address} ${heldOf(said.resource)}`);
      }
    },
  };

  function lookAtRow(key: string, before: Row | undefined, after: Row | undefined): void {
    if (Number(after?.order) < Number(before?.order ?? 0) || after === undefined)
      report(`the row went back: ${key} from ${before?.order} to ${after?.order}`);
  }

  /** Checks that the applied and the started version only rise, and that the applied version has its row. */
  function lookAtMark(key: string, before: Row | undefined, after: Row | undefined): void {
    for (const column of ['eventKey', 'startedKey'] as const) {
      const [was, is] = [before, after].map((row) => truth.get(String(row?.[column])));
      if ((was?.order ?? 0) > (is?.order ?? 0))
        report(`the watermark went back: ${column} of ${key} from ${was?.order} to ${is?.order}`);
    }
    const applied = truth.get(String(after?.eventKey));
    if (applied && heldOf(applied.resource) < applied.order)
      report(`the table holds an older version than the watermark: ${applied.resource}, not ${applied.order}`);
  }

  function heldOf(resource: string): number {
    return Number(tables.inspect(NEWEST).find(({ key }) => key === resource)?.row.order ?? 0);
  }

  function startedOf(resource: string): number {
    const started = tables.inspect('watermarks').map(({ row }) => truth.get(String(row.startedKey)));
    return Math.max(0, ...started.map((one) => (one?.resource === resource ? one.order : 0)));
  }
}
