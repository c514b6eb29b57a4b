import { digest } from '../digest.js';
import { toJson } from '../json-text.js';
import { type Address, placeOf } from './address.js';
import type { Failing } from './ledger.js';

export type Stage = 'invalid' | Failing;
export const STAGES: readonly Stage[] = ['invalid', 'failed', 'crash', 'unknown-workflow'];

/**
 * A dead letter has one name, `<stage>/<yyyy-mm-dd>/<digest>.<redrives>.json`, in `pending/` or in `resolved/`; its id
 * is the same with dots between, so that it can stand in a URL.
 */
export type LetterName = string;

export function nameOfJobLetter(stage: Stage, address: Address, redrives: number): LetterName {
  return `${stage}/${datedOf(placeOf(address).day)}/${digest(address)}.${redrives}.json`;
}

/** Of an invalid event there is no job: it is known by its payload. `day` is that of a ledger's table. */
export function nameOfInvalidLetter(day: string, event: unknown): LetterName {
  return `invalid/${datedOf(day)}/${digest(toJson(event))}.0.json`;
}

/** Of several invalid events: another name than that of one invalid event that is the same list. */
export function nameOfBatchLetter(day: string, events: readonly unknown[]): LetterName {
  return `invalid/${datedOf(day)}/${digest(`batch.${toJson(events)}`)}.0.json`;
}

export function datedOf(day: string): string {
  return /^\d{8}$/.test(day) ? `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}` : 'undated';
}

/** Of the name that follows `pending/` or `resolved/`. Undefined for a blob that is no letter of ours. */
export function partsOfName(
  name: LetterName,
): { stage: Stage; dated: string; digest: string; redrives: number } | undefined {
  const [, stage = '', dated = '', digested = '', redrives] = NAME.exec(name) ?? [];
  if (!(STAGES as readonly string[]).includes(stage)) return undefined;
  return { stage: stage as Stage, dated, digest: digested, redrives: Number(redrives) };
}

export function idOfName(name: LetterName): string {
  return name.replace(/\.json$/, '').replaceAll('/', '.');
}

/** Undefined where `id` is none. */
export function nameOfId(id: string): LetterName | undefined {
  const name = `${id.replace(/^([^.]*)\.([^.]*)\./, '$1/$2/')}.json`;
  return partsOfName(name) && idOfName(name) === id ? name : undefined;
}

const NAME = /^([a-z-]+)\/(\d{4}-\d\d-\d\d|undated)\/([\w-]{22})\.(\d{1,6})\.json$/;
