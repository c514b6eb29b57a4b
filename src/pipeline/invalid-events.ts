import type { Clock } from '../clock.js';
import type { InvalidEventError } from '../events/invalid-event-error.js';
import { type DeadLetters, letterOfInvalid } from '../storage/dead-letters.js';
import { StorageError } from '../storage/table-store.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { createSlots } from './slots.js';
import { untilWritten } from './until-written.js';

/** Writes the dead letter of an event that is none of ours, raw as it came. Throws where storage goes on failing. */
export type WriteInvalid = (raw: unknown, error: InvalidEventError) => Promise<void>;

const AT_ONCE = 32;

// Dies before it: nothing is acknowledged, and it comes again; after it: the same name, which changes nothing.
export function createWriteInvalid(deps: {
  clock: Clock;
  deadLetters: DeadLetters;
  deadlineMs: number;
  telemetry: Telemetry;
}): WriteInvalid {
  const { clock, deadLetters, deadlineMs, telemetry } = deps;
  const writing = createSlots<'dead-letter'>(() => AT_ONCE);

  return async (raw, error) => {
    telemetry.record('events', 1, { outcome: 'invalid', type: 'unknown' });
    telemetry.log('warn', 'event-invalid', {
      problems: error.problems.map(({ path, code }) => `${path}:${code}`).join(' '),
    });
    const untilMs = clock.monotonic() + deadlineMs;
    const cancel = clock.after(deadlineMs, () => writing.leave('dead-letter', error));
    const hasPlace = await writing.take('dead-letter', error);
    cancel();
    if (!hasPlace) throw new StorageError('busy', 'Dead letters could not be written in time; the events come again.');
    try {
      const letter = letterOfInvalid(raw, error, clock.now());
      await untilWritten(() => deadLetters.write(letter), { clock, untilMs });
    } finally {
      writing.give('dead-letter');
    }
  };
}
