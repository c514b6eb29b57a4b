import type { DeadLetter } from '../dead-letters/store/dead-letter.js';
import { deadLettersOfInvalid, type InvalidEvent } from '../dead-letters/store/invalid.js';
import { StorageError } from '../storage/table-store.js';
import type { Shared } from './shared.js';
import { Slots } from './slots.js';
import { untilWritten } from './until-written.js';

/** Writes the dead letters of invalid events. Returns a promise for each, which rejects if storage keeps failing. */
export type WriteInvalid = (events: readonly InvalidEvent[]) => Promise<void>[];

type Deps = Pick<Shared, 'clock' | 'stores' | 'settings' | 'telemetry'>;

const MAX_AT_ONCE = 32;

// Writes the dead letters:
//   process dies before the last write    Event Grid sends the POST again; dead letters that exist have the same names
//   two processes with the same POST      the first dead letter of each name stays
//   Event Grid sends other batches        an event is in two dead letters; a redrive of both makes one job
/** Returns the WriteInvalid of a process, which writes at most 32 dead letters at once. */
export function createWriteInvalid(deps: Deps): WriteInvalid {
  const { clock, telemetry } = deps;
  const slots = new Slots<'dead-letter'>(() => MAX_AT_ONCE);
  return (events) => {
    if (events.length === 0) return [];
    telemetry.record('events', events.length, { outcome: 'invalid', type: 'unknown' });
    return deadLettersOfInvalid(events, clock.now()).map(({ deadLetter, first, count }) => {
      const problems = first.error.problems.map(({ path, code }) => `${path}:${code}`).join(' ');
      telemetry.log('warn', 'event-invalid', { problems, ...(count > 1 && { count }) });
      return write(deadLetter, slots, deps);
    });
  };
}

async function write(deadLetter: DeadLetter, slots: Slots<'dead-letter'>, deps: Deps): Promise<void> {
  const { clock, stores, settings } = deps;
  const { deadlineMs } = settings;
  const untilMs = clock.monotonic() + deadlineMs;
  const cancel = clock.after(deadlineMs, () => slots.leave('dead-letter', deadLetter));
  const hasSlot = await slots.take('dead-letter', deadLetter);
  cancel();
  if (!hasSlot) throw new StorageError('busy', 'Dead letters could not be written in time; the events come again.');
  try {
    await untilWritten(() => stores.deadLetters.write(deadLetter), { clock, untilMs });
  } finally {
    slots.give('dead-letter');
  }
}
