import { FAILING_STAGES } from '../storage/ledger.js';
import type { WaitingRow } from '../storage/waiting.js';
import type { Stores } from './create-stores.js';
import type { RunResult } from './outcome.js';
import { Slots } from './slots.js';

/** The maximum of moves at once: after an outage, the runs of thousands of rows end at the same time. */
const MAX_AT_ONCE = 32;

/** Moves the dead letters of redriven jobs and events to `resolved/`. */
export class MoveDeadLetters {
  readonly #stores: Pick<Stores, 'deadLetters'>;
  readonly #slots = new Slots<'move'>(() => MAX_AT_ONCE);

  constructor(stores: Pick<Stores, 'deadLetters'>) {
    this.#stores = stores;
  }

  move(name: string): Promise<void> {
    return this.#withSlot(() => this.#stores.deadLetters.move(name));
  }

  /**
   * R4: moves the dead letters that a job no longer needs after the run of a row: all, if the job is completed or
   * superseded; else all but the one of its last redrive, whose number is `recorded.redrives`.
   */
  async moveAfter({ item }: WaitingRow, recorded: RunResult & { kind: 'settled' | 'waiting' }): Promise<void> {
    if (item.kind !== 'job') return;
    const { redrives } = recorded;
    const isDone = recorded.kind === 'settled' && recorded.result !== 'dead';

    const isRedriven = item.redrive !== undefined && (redrives >= item.redrive || isDone);
    if (isRedriven && item.deadLetter !== undefined) return this.move(item.deadLetter); // earlier ones have moved

    if (redrives === 0) return; // no earlier dead letter
    const firstToKeep = isDone ? redrives + 1 : redrives;
    const job = { address: item.address, stages: FAILING_STAGES };
    await this.#withSlot(() => this.#stores.deadLetters.resolve(job, firstToKeep));
  }

  async #withSlot(move: () => Promise<void>): Promise<void> {
    await this.#slots.take('move', {});
    try {
      await move();
    } finally {
      this.#slots.give('move');
    }
  }
}
