import type { HealthEvent } from '../../src/events/health-event.js';
import { keyOf } from '../../src/events/key.js';
import { type Address, addressOf, ledgerPlaceOf } from '../../src/storage/address.js';
import type { MemoryTableStore } from '../../src/storage/memory-table-store.js';
import type { Row } from '../../src/storage/table-store.js';
import { watchWrites } from '../row-history.js';

/** The workflow with `ordering: 'latest'`, and its table: a row for each resource, with the `order` of its version. */
export const NEWEST = 'newest';

/** The resource of an event; `order` is higher for newer versions. */
export type Truth = { readonly resource: string; readonly order: number };

/** The begin of each incarnation of a resource. The tables of the first day are old enough to be dropped. */
export const BEGAN_AT_MS = [Date.UTC(2026, 2, 11, 8), Date.UTC(2026, 2, 14, 8), Date.UTC(2026, 2, 15, 8)];

/** Returns the resource and the order of an event. An incarnation has at most 9 versions here. */
export function truthOf(event: HealthEvent): Truth {
  const resource = event.service === 'fhir' ? event.resourceId.toLowerCase().replaceAll(/[^a-z0-9]/g, '') : '';
  return {
    resource,
    order: event.version + 100 * BEGAN_AT_MS.findLastIndex((beganAtMs) => Date.parse(event.time ?? '') >= beganAtMs),
  };
}

/**
 * Calls `report` if a write sets a row of the table or a watermark back to an older version, or if an older version has a
 * higher fence.
 */
export function watchVersions(tables: MemoryTableStore, report: (wrong: string) => void) {
  const truth = new Map<string, Truth>();
  /** For each resource and order, the first and the last fence of the handlers. */
  const fences = new Map<string, Map<number, { first: number; last: number }>>();
  watchWrites(tables, ({ table, key, before, after }) => {
    if (table === NEWEST) checkRow(key, before, after);
    if (table === 'watermarks') checkWatermark(key, before, after);
  });

  return {
    watch(event: HealthEvent): void {
      const { eventKey } = ledgerPlaceOf(addressOf(keyOf(event), NEWEST));
      truth.set(eventKey, truthOf(event));
    },

    /** Notes that a handler of `event` starts with `fence`. */
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

    /** Checks that the row has the newest completed version, and that only a started version supersedes another. */
    checkAtRest(resultOf: (address: Address) => unknown, known: Iterable<Address>): void {
      for (const address of known) {
        const event = truth.get(ledgerPlaceOf(address).eventKey);
        if (!event || ledgerPlaceOf(address).workflow !== NEWEST) continue;
        const result = resultOf(address);
        if (result === 'superseded' && startedOf(event.resource) <= event.order)
          report(`superseded by nothing that has started: ${address}`);
        if (result === 'completed' && heldOf(event.resource) < event.order)
          report(`completed, and the table holds an older version: ${address} ${heldOf(event.resource)}`);
      }
    },
  };

  function checkRow(key: string, before: Row | undefined, after: Row | undefined): void {
    if (Number(after?.order) < Number(before?.order ?? 0) || after === undefined)
      report(`the row went back: ${key} from ${before?.order} to ${after?.order}`);
  }

  /** Checks that the applied and the started version only rise, and that the applied version has its row. */
  function checkWatermark(key: string, before: Row | undefined, after: Row | undefined): void {
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
    return Math.max(0, ...started.map((each) => (each?.resource === resource ? each.order : 0)));
  }
}
