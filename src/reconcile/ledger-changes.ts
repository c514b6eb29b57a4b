import type { Clock } from '../clock.js';
import { addDelivery, addRow } from '../dead-letters/add-row.js';
import { keyOf } from '../events/key.js';
import { parseEvent } from '../events/parse.js';
import { addressOf } from '../storage/address.js';
import type { Ledger } from '../storage/ledger.js';
import type { Waiting } from '../storage/waiting.js';
import { type Workflow, wants } from '../workflow.js';
import type { KnownChanges } from './known-changes.js';

export type LedgerChangesDeps = {
  readonly ledger: Pick<Ledger, 'knows'>;
  readonly waiting: Pick<Waiting, 'add' | 'isThere'>;
  readonly workflows: readonly Workflow[];
  /** `DEADLINE_SECONDS`: a job that may run for longer gets a row of the long kind. */
  readonly deadlineMs: number;
  readonly clock: Clock;
  /** By storage's clock (T1). */
  readonly storageNow: () => Promise<Date>;
};

/** Returns the changes that the app's ledger knows. */
export function createLedgerChanges(deps: LedgerChangesDeps): KnownChanges {
  const { ledger, waiting, workflows, deadlineMs, clock, storageNow } = deps;
  const stores = { waiting, clock, storageNow };

  return {
    isKnown: (event, workflow) =>
      ledger.knows(event, { workflow, likely: workflows.find((each) => wants(each, event))?.name }),

    async bringIn(event, workflow) {
      if (workflow === undefined) {
        await addDelivery(event, stores);
        return;
      }
      const key = keyOf(parseEvent(event.raw));
      const of = { kind: 'job' as const, address: addressOf(key, workflow), eventIdDigest: key.id };
      const { timeoutMs = 0 } = workflows.find(({ name }) => name === workflow) ?? {};
      await addRow({ isLong: timeoutMs > deadlineMs, event: event.json, of }, stores);
    },
  };
}
