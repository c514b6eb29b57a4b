import { digest } from '../digest.js';
import type { Address } from './address.js';
import { placeOf } from './address.js';
import type { BlobStore } from './blob-store.js';
import type { Failing } from './ledger.js';
import { pagesOf } from './pages.js';

/**
 * What nobody could act on, one blob each: `pending/<stage>/<yyyy-mm-dd>/<digest>.<redrives>.json`, and once it is over
 * `resolved/` with the same rest. The name is a function of the job and its redrives, or of an invalid payload, and it
 * is created only where there is none: two writers, or one that dies and comes back, make one dead letter.
 *
 * Moving is a copy, then a delete: dies in between, it is in both places and counts as resolved. So does one that a
 * former holder of the job writes very late, after it was moved.
 */
export type DeadLetters = {
  /** Nothing happens where it is there already. */
  write(letter: DeadLetter): Promise<void>;
  /** Moves those of this job to resolved/ whose number of redrives is below `before`. */
  resolve(job: { address: Address; stages: readonly Failing[] }, before: number): Promise<void>;
  /** How many are pending, by stage, counting up to `most`. */
  count(most: number): Promise<{ byStage: Record<Stage, number>; isMore: boolean; oldestAt: Date | undefined }>;
};

export type Stage = 'invalid' | Failing;
export const STAGES: readonly Stage[] = ['invalid', 'failed', 'crash', 'unknown-workflow'];

export type DeadLetter = {
  stage: Stage;
  /** Of an invalid event there is no job. */
  of: { kind: 'job'; address: Address; redrives: number } | { kind: 'event'; day: string };
  reason: string;
  workflow?: string;
  /** Whatever is in `message` must not come from the payload. */
  error: { name: string; code: string; message: string };
  problems?: readonly { path: string; code: string }[];
  tries: number;
  crashes?: number;
  firstTryAt?: string;
  deadLetteredAt: string;
  /** The event as the function received it. */
  event: unknown;
};

const PAGE = 1000;

export function createDeadLetters(deps: { blobs: BlobStore }): DeadLetters {
  const { blobs } = deps;
  return {
    async write(letter) {
      const { of, ...rest } = letter;
      const name = nameOf(letter);
      const job = of.kind === 'job' ? { address: of.address, redrives: of.redrives } : { redrives: 0 };
      await blobs.create(`pending/${name}`, JSON.stringify({ ...rest, ...job }, undefined, 2));
    },

    async resolve({ address, stages }, before) {
      for (let redrives = 0; redrives < before; redrives += 1) {
        for (const stage of stages) await move(nameOfJob(stage, address, redrives));
      }
    },

    async count(most) {
      const byStage = Object.fromEntries(STAGES.map((stage) => [stage, 0])) as Record<Stage, number>;
      let oldestAt: Date | undefined;
      let all = 0;
      for (const stage of STAGES) {
        const resolved = createCursor(`resolved/${stage}/`);
        for await (const answer of pagesOf((from) => blobs.list(`pending/${stage}/`, { limit: PAGE, ...from }))) {
          for (const { name, createdAt } of answer.blobs) {
            if (await resolved.has(name.replace(/^pending/, 'resolved'))) continue;
            byStage[stage] += 1;
            all += 1;
            if (!oldestAt || createdAt < oldestAt) oldestAt = createdAt;
            if (all >= most) return { byStage, isMore: true, oldestAt };
          }
        }
      }
      return { byStage, isMore: false, oldestAt };
    },
  };

  async function move(name: string): Promise<void> {
    const content = await blobs.read(`pending/${name}`);
    if (content === undefined) return;
    await blobs.create(`resolved/${name}`, content);
    await blobs.delete(`pending/${name}`);
  }

  /** Asks for names in rising order, of a listing in rising order: each page is read once, and only as far as is asked. */
  function createCursor(prefix: string): { has(name: string): Promise<boolean> } {
    let names: string[] = [];
    let at = 0;
    let page: string | undefined;
    let isDone = false;
    return {
      async has(name) {
        for (;;) {
          while (at < names.length && (names[at] as string) < name) at += 1;
          if (at < names.length) return names[at] === name;
          if (isDone) return false;
          const answer = await blobs.list(prefix, { limit: PAGE, ...(page ? { page } : {}) });
          names = answer.blobs.map((blob) => blob.name);
          at = 0;
          page = answer.next;
          isDone = page === undefined;
        }
      },
    };
  }
}

function nameOf(letter: DeadLetter): string {
  if (letter.of.kind === 'job') return nameOfJob(letter.stage, letter.of.address, letter.of.redrives);
  return `${letter.stage}/${dated(letter.of.day)}/${digest(JSON.stringify(letter.event) ?? '')}.0.json`;
}

function nameOfJob(stage: Stage, address: Address, redrives: number): string {
  return `${stage}/${dated(placeOf(address).day)}/${digest(address)}.${redrives}.json`;
}

function dated(day: string): string {
  return /^\d{8}$/.test(day) ? `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}` : 'undated';
}
