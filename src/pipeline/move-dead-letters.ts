import { FAILING_STAGES } from '../storage/ledger.js';
import type { WaitingRow } from '../storage/waiting.js';
import type { Stores } from './create-stores.js';
import type { RunResult } from './outcome.js';
import { Slots } from './slots.js';

/** After an outage thousands of rows end at the same time: all their dead letters at once are more than storage can answer. */
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
   * R4: moves the earlier dead letters of a redriven job; all of them if the job is settled and not dead. The dead letters
   * before the one that the row names have moved already.
   */
  async moveAfter({ of }: WaitingRow, recorded: RunResult & { kind: 'settled' | 'waiting' }): Promise<void> {
    if (of.kind !== 'job') return;
    const { redrives } = recorded;
    const isOver = recorded.kind === 'settled' && recorded.result !== 'dead';
    if (of.redrive && of.letter !== undefined && (redrives >= of.redrive || isOver)) return this.move(of.letter);
    if (redrives === 0) return;
    const before = isOver ? redrives + 1 : redrives;
    const dead = { address: of.address, stages: FAILING_STAGES };
    await this.#withSlot(() => this.#stores.deadLetters.resolve(dead, before));
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
