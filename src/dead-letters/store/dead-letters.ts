import { toJson } from '../../json-text.js';
import type { Address } from '../../storage/address.js';
import type { BlobStore } from '../../storage/blob-store.js';
import type { Failing } from '../../storage/ledger.js';
import {
  type DeadLetter,
  eventsOfDeadLetter,
  metadataOf,
  readDeadLetter,
  type StoredDeadLetter,
} from './dead-letter.js';
import { type DeadLetterName, nameOfInvalid, nameOfInvalidBatch, nameOfJob, STAGES, type Stage } from './names.js';
import { pendingPages } from './pending.js';

/**
 * The container `dead-letters`: one blob per dead letter, `pending/<stage>/<yyyy-mm-dd>/<digest>.<redrives>.json`. A
 * resolved dead letter has the same name under `resolved/`.
 *
 * R7: a name is created only once, so two writers, or a repeated write after a crash, make one dead letter.
 * R6: a dead letter in both places is resolved, also if a former holder of the job writes it very late.
 */
export class DeadLetters {
  readonly #blobs: BlobStore;

  /** `blobs`: the container. */
  constructor({ blobs }: { blobs: BlobStore }) {
    this.#blobs = blobs;
  }

  /** Writes a dead letter to `pending/`; changes nothing if its name exists. */
  async write(deadLetter: DeadLetter): Promise<void> {
    const { origin, ...rest } = deadLetter;
    const job = origin.kind === 'job' ? { address: origin.address, redrives: origin.redrives } : { redrives: 0 };
    await this.#create(`pending/${nameOf(deadLetter)}`, { ...rest, ...job });
  }

  /** Moves the dead letters of a job whose number of redrives is below `before` to `resolved/`. */
  async resolve({ address, stages }: { address: Address; stages: readonly Failing[] }, before: number): Promise<void> {
    for (let redrives = 0; redrives < before; redrives += 1) {
      for (const stage of stages) await this.move(nameOfJob(stage, address, redrives));
    }
  }

  /**
   * Moves the dead letter of this name to `resolved/` if it is pending, with its content changed by `change`. R6: a copy,
   * then a delete.
   *
   *   process dies before the copy    nothing has happened
   *   process dies after the copy     the dead letter is in both places, so it is resolved; the next move deletes it
   *   two processes at once           the first copy stands, and the second delete finds nothing
   */
  async move(name: string, change?: (deadLetter: StoredDeadLetter) => StoredDeadLetter): Promise<void> {
    const content = await this.#blobs.read(`pending/${name}`);
    if (content === undefined) return;
    const deadLetter = readDeadLetter(content);
    if (!deadLetter) await this.#blobs.create(`resolved/${name}`, content);
    else if (change) await this.#create(`resolved/${name}`, change(deadLetter));
    else await this.#blobs.create(`resolved/${name}`, content, { metadata: metadataOf(deadLetter) });
    await this.#blobs.delete(`pending/${name}`);
  }

  /**
   * Counts the pending dead letters by stage and by reason, up to `max`, or until `isEnough` says so after a page. `isMore`:
   * there is at least one more, and `oldestAt` is of those counted.
   */
  async count(max: number, isEnough = () => false) {
    const byStage = Object.fromEntries(STAGES.map((stage) => [stage, 0])) as Record<Stage, number>;
    const byReason: Record<string, number> = {};
    let oldestAt: Date | undefined;
    let all = 0;
    let isLast = false;
    for (const stage of STAGES) {
      for await (const { blobs } of pendingPages(this.#blobs, stage)) {
        if (isLast && blobs.length > 0) return { byStage, byReason, isMore: true, oldestAt };
        for (const { createdAt, metadata } of blobs) {
          if (all === max) return { byStage, byReason, isMore: true, oldestAt };
          const reason = metadata?.reason ?? 'unknown';
          byStage[stage] += 1;
          byReason[reason] = (byReason[reason] ?? 0) + 1;
          all += 1;
          if (!oldestAt || createdAt < oldestAt) oldestAt = createdAt;
        }
        isLast = isEnough();
      }
    }
    return { byStage, byReason, isMore: false, oldestAt };
  }

  async #create(name: string, deadLetter: StoredDeadLetter): Promise<void> {
    await this.#blobs.create(name, toJson(deadLetter), { metadata: metadataOf(deadLetter) });
  }
}

function nameOf(deadLetter: DeadLetter): DeadLetterName {
  const { origin, stage, causes, event } = deadLetter;
  if (origin.kind === 'job') return nameOfJob(stage, origin.address, origin.redrives);
  return causes ? nameOfInvalidBatch(origin.day, eventsOfDeadLetter(deadLetter)) : nameOfInvalid(origin.day, event);
}
