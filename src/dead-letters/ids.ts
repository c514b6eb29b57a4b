import { type DeadLetterName, idOfName, nameOfId, partsOfName, STAGES, type Stage } from './store/names.js';
import { RESOLVED } from './undelivered.js';

/** The blob that an id names: in the container `dead-letters`, or in `undelivered`. */
type Place =
  | { readonly kind: 'letter'; readonly name: DeadLetterName }
  | { readonly kind: 'undelivered'; readonly name: string };

/** Returns the blob of an id; undefined if `id` is not an id. */
export function placeOfId(id: string): Place | undefined {
  const [, kind, encoded = ''] = /^(undelivered|stray)\.([\w-]+)$/.exec(id) ?? [];
  const name = kind === undefined ? nameOfId(id) : Buffer.from(encoded, 'base64url').toString();
  if (name === undefined || idOf(name, kind) !== id || !isPlain(name)) return undefined;
  if (kind === 'undelivered') return name.startsWith(RESOLVED) ? undefined : { kind, name };
  return kind === undefined || isStray(name) ? { kind: 'letter', name } : undefined;
}

/** Returns the id of a blob of Event Grid, whose name may have any characters. */
export function idOfUndelivered(name: string): string {
  return idOf(name, 'undelivered');
}

/** Returns the id of a blob in `dead-letters`. The id of a blob that the app did not write begins with `stray.`. */
export function idOfDeadLetter(name: DeadLetterName): string {
  return idOf(name, partsOfName(name) ? undefined : 'stray');
}

/** Returns the stage in whose folder a blob is, also for a blob that the app did not write. */
export function stageOf(name: string): Stage | undefined {
  return STAGES.find((stage) => name.startsWith(`${stage}/`));
}

function idOf(name: string, kind: string | undefined): string {
  return kind === undefined ? idOfName(name) : `${kind}.${Buffer.from(name).toString('base64url')}`;
}

function isStray(name: string): boolean {
  return stageOf(name) !== undefined && partsOfName(name) === undefined;
}

/** Refuses `.` and `..`: URLs resolve them, so such a name could reach a blob elsewhere, even in another container. */
function isPlain(name: string): boolean {
  return !name.includes('\\') && !name.split('/').some((step) => step === '' || step === '.' || step === '..');
}
