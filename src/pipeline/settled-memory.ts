import type { Address } from '../storage/address.js';

/**
 * Jobs that this process knows to be settled, so that a redelivery costs nothing. Bounded: the older half is forgotten
 * when the newer is full. It answers deliveries only; a row, which may reopen a job, always reads the record.
 */
export type SettledMemory = { add(address: Address): void; has(address: Address): boolean };

export function createSettledMemory(size: number): SettledMemory {
  let newer = new Set<Address>();
  let older = new Set<Address>();
  return {
    add(address) {
      newer.add(address);
      if (newer.size * 2 < size) return;
      older = newer;
      newer = new Set();
    },
    has: (address) => newer.has(address) || older.has(address),
  };
}
