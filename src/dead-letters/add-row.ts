import type { NewRow } from '../storage/waiting.js';
import type { Desk } from './letter.js';

const ADD_WITHIN_MS = 30_000;

/** A row in `waiting` that is due now. */
export async function addRow(
  of: Omit<NewRow, 'dueAt'>,
  { waiting, clock, storageNow }: Pick<Desk, 'waiting' | 'clock' | 'storageNow'>,
): Promise<{ row: NewRow; name: string }> {
  const row = { ...of, dueAt: await storageNow() };
  return { row, name: await waiting.add(row, clock.monotonic() + ADD_WITHIN_MS) };
}
