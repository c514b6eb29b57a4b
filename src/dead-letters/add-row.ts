import type { NewRow } from '../storage/waiting.js';
import type { DeadLetterStores } from './stores.js';

const ADD_WITHIN_MS = 30_000;

/** Adds a row to `waiting` that is due now; returns the row and its name. */
export async function addRow(
  of: Omit<NewRow, 'dueAt'>,
  { waiting, clock, storageNow }: Pick<DeadLetterStores, 'waiting' | 'clock' | 'storageNow'>,
): Promise<{ row: NewRow; name: string }> {
  const row = { ...of, dueAt: await storageNow() };
  return { row, name: await waiting.add(row, clock.monotonic() + ADD_WITHIN_MS) };
}
