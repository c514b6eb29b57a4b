import { digest } from '../../digest.js';
import { toJson } from '../../json-text.js';
import { type Address, ledgerPlaceOf } from '../../storage/address.js';
import type { Failing } from '../../storage/ledger.js';

/** The folder of a dead letter: an event is invalid, or a job has failed for good. */
export type Stage = 'invalid' | Failing;
export const STAGES: readonly Stage[] = ['invalid', 'failed', 'crash', 'unknown-workflow'];

/**
 * `<stage>/<yyyy-mm-dd>/<digest>.<redrives>.json`, under `pending/` or `resolved/`. The id of a dead letter is its name
 * with dots for slashes and without `.json`, so that it fits into a URL.
 *
 * R7: the name is a function of job and redrives, or of the payload: writing a dead letter twice makes one.
 */
export type DeadLetterName = string;

const NAME = /^([a-z-]+)\/(\d{4}-\d\d-\d\d|undated)\/([\w-]{22})\.(\d{1,6})\.json$/;

/** Returns the name of the dead letter of a job. */
export function nameOfJob(stage: Stage, address: Address, redrives: number): DeadLetterName {
  return `${stage}/${datedOf(ledgerPlaceOf(address).day)}/${digest(address)}.${redrives}.json`;
}

/** Returns the name of the dead letter of one invalid event. `day` is that of a ledger table. */
export function nameOfInvalid(day: string, event: unknown): DeadLetterName {
  return `invalid/${datedOf(day)}/${digest(toJson(event))}.0.json`;
}

/** Returns the name for several invalid events. A single invalid event that is a list of them has another name. */
export function nameOfInvalidBatch(day: string, events: readonly unknown[]): DeadLetterName {
  return `invalid/${datedOf(day)}/${digest(`batch.${toJson(events)}`)}.0.json`;
}

function datedOf(day: string): string {
  return /^\d{8}$/.test(day) ? `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}` : 'undated';
}

/** Returns the parts of a name without `pending/` or `resolved/`; undefined for a blob that the app did not write. */
export function partsOfName(
  name: DeadLetterName,
): { stage: Stage; dated: string; digest: string; redrives: number } | undefined {
  const [, stage = '', dated = '', digested = '', redrives] = NAME.exec(name) ?? [];
  if (!(STAGES as readonly string[]).includes(stage)) return undefined;
  return { stage: stage as Stage, dated, digest: digested, redrives: Number(redrives) };
}

/** Returns the id of the dead letter with this name. */
export function idOfName(name: DeadLetterName): string {
  return name.replace(/\.json$/, '').replaceAll('/', '.');
}

/** Returns the name of the dead letter with this id; undefined if `id` is not an id. */
export function nameOfId(id: string): DeadLetterName | undefined {
  const name = `${id.replace(/^([^.]*)\.([^.]*)\./, '$1/$2/')}.json`;
  return partsOfName(name) && idOfName(name) === id ? name : undefined;
}
