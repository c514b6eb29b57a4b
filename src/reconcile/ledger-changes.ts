import type { Clock, Random } from '../clock.js';
import { addDelivery, addRow } from '../dead-letters/add-row.js';
import type { HealthEvent } from '../events/health-event.js';
import { keyOf } from '../events/key.js';
import { parseEvent } from '../events/parse.js';
import { addressOf } from '../storage/address.js';
import type { Ledger } from '../storage/ledger.js';
import type { Waiting } from '../storage/waiting.js';
import { type Workflow, wants } from '../workflow.js';
import type { KnownChanges } from './known-changes.js';

type LedgerChangesDeps = {
  readonly ledger: Pick<Ledger, 'knows' | 'recordsNear' | 'write'>;
  readonly waiting: Pick<Waiting, 'add' | 'isThere'>;
  readonly workflows: readonly Workflow[];
  /** `DEADLINE_SECONDS`: a job that may run for longer gets a row that the queue `due-long` runs. */
  readonly deadlineMs: number;
  readonly clock: Clock;
  readonly random: Pick<Random, 'token'>;
  /** The time by storage's clock (T1). */
  readonly storageNow: () => Promise<Date>;
  /** True if rows of `waiting` are lost: then a change is known only if all its jobs are settled. */
  readonly areRowsLost?: boolean;
};

/** The limit is generous, because no delivery waits for this write. */
const RELEASE_WITHIN_MS = 10_000;

/** Returns the changes that the ledger knows, and that rows of `waiting` bring in. */
export function createLedgerChanges(deps: LedgerChangesDeps): KnownChanges {
  const { ledger, waiting, workflows, deadlineMs, clock, storageNow, areRowsLost } = deps;
  const stores = { waiting, clock, storageNow };

  return {
    async isKnown(event, workflow) {
      if (!areRowsLost)
        return ledger.knows(event, { workflow, likely: workflows.find((each) => wants(each, event))?.name });
      const found = await ledger.recordsNear(event, workflow);
      return found.length > 0 && found.every(({ current }) => current.record.state.kind === 'settled');
    },

    async bringIn(event, workflow) {
      if (areRowsLost) await releaseWaiting(parseEvent(event.raw), workflow, deps);
      if (workflow === undefined) {
        await addDelivery(event, stores);
        return;
      }
      const key = keyOf(parseEvent(event.raw));
      const item = { kind: 'job' as const, address: addressOf(key, workflow), eventIdDigest: key.id };
      const { timeoutMs = 0 } = workflows.find(({ name }) => name === workflow) ?? {};
      await addRow({ isLong: timeoutMs > deadlineMs, event: event.json, item }, stores);
    },
  };
}

/**
 * Lets any row continue the jobs of the change that wait for a lost row: their records get a lease that has lapsed, as if
 * a process had claimed the job and died.
 *
 *   process dies before the write    the job waits as before, and the next comparison brings the change in
 *   process dies after the write     the next comparison brings the change in
 *   the row still exists             the old row or the new row takes the job over: storage refuses one claim (J2)
 *   two processes at once            storage refuses one write, and both add a row: one of the two claims the job (J2)
 */
async function releaseWaiting(
  event: HealthEvent,
  workflow: string | undefined,
  { ledger, clock, random }: LedgerChangesDeps,
): Promise<void> {
  for (const { address, current } of await ledger.recordsNear(event, workflow)) {
    const { record, etag } = current;
    if (record.state.kind !== 'waiting') continue;
    const lapsed = { ...record, state: { kind: 'running', leaseMs: 0 } as const };
    const written = { ...lapsed, owner: random.token(), write: record.write + 1 };
    await ledger.write(address, written, { etag, untilMs: clock.monotonic() + RELEASE_WITHIN_MS });
  }
}
