import type { Clock } from '../clock.js';
import type { InvalidReason } from '../events/invalid-event-error.js';
import { loggableFieldsOf } from '../events/loggable-fields.js';
import type { About, BlobStore, ListedBlob } from '../storage/blob-store.js';
import { aboutLetter, type DeadLetters, readLetter, type Stage } from '../storage/dead-letters.js';
import type { Ledger } from '../storage/ledger.js';
import { idOfName, type LetterName, nameOfId, partsOfName, STAGES } from '../storage/letter-names.js';
import type { Waiting } from '../storage/waiting.js';
import { RESOLVED, type Undelivered } from './undelivered.js';

/** Where letters are, and what their redrive needs. */
export type Desk = {
  readonly letters: BlobStore;
  readonly deadLetters: Pick<DeadLetters, 'write' | 'move'>;
  /** Event Grid's own. */
  readonly undelivered: BlobStore;
  readonly ledger: Pick<Ledger, 'read'>;
  readonly waiting: Pick<Waiting, 'add' | 'isThere'>;
  readonly clock: Clock;
  /** By storage's clock, as the times of blobs are. */
  readonly storageNow: () => Promise<Date>;
};

/**
 * What is told of a dead letter without its payload. What Event Grid has written holds several events: of their types,
 * codes and so on each is named once, with spaces between.
 */
export type Letter = {
  readonly id: string;
  readonly stage: LetterStage;
  readonly reason: string;
  /** '' where it got to none. */
  readonly workflow: string;
  /** The code of the error. */
  readonly error: string;
  readonly type: string;
  readonly resourceType: string;
  readonly eventId: string;
  /** When it was written. */
  readonly at: string;
  readonly redrives: number;
  readonly events: number;
  /** The newest version of its resource that has started: see DeadLetter. */
  readonly holdsState?: true;
};

/** What letters are asked for by, and counted by. */
export const WORDS = ['stage', 'reason', 'workflow', 'error', 'type', 'resourceType'] as const;
export type Word = (typeof WORDS)[number];

/** The reasons that this version of the app, and Event Grid, write. Others may be in storage. */
export const REASONS: readonly string[] = [
  ...(['invalid', 'unknown-type', 'too-large', 'workspace-not-listed'] satisfies InvalidReason[]),
  ...['non-retriable', 'tries-spent', 'gave-up'],
  ...(['failed', 'crash', 'unknown-workflow'] satisfies Stage[]),
  'unreadable',
  ...['TimeToLiveExceeded', 'MaxDeliveryAttemptsExceeded', 'UndeliverableDueToClientError'],
];

/** `undelivered`: what Event Grid gave up on, a blob each. */
export type LetterStage = Stage | 'undelivered';
export const LETTER_STAGES: readonly LetterStage[] = [...STAGES, 'undelivered'];
export const STAGES_WITH_WORKFLOW: readonly LetterStage[] = STAGES.filter((stage) => stage !== 'invalid');

export type Place =
  | { readonly kind: 'letter'; readonly name: LetterName }
  | { readonly kind: 'undelivered'; readonly name: string };

/** Undefined where `id` is none. */
export function placeOfLetter(id: string): Place | undefined {
  const [, kind, encoded = ''] = /^(undelivered|stray)\.([\w-]+)$/.exec(id) ?? [];
  const name = kind === undefined ? nameOfId(id) : Buffer.from(encoded, 'base64url').toString();
  if (name === undefined || idOf(name, kind) !== id || !isPlain(name)) return undefined;
  if (kind === 'undelivered') return name.startsWith(RESOLVED) ? undefined : { kind, name };
  return kind === undefined || isStray(name) ? { kind: 'letter', name } : undefined;
}

/** A blob of Event Grid's has a name of slashes. */
export function idOfUndelivered(name: string): string {
  return idOf(name, 'undelivered');
}

/** What somebody has put among the letters has a name of any kind. */
function idOfLetter(name: LetterName): string {
  return idOf(name, partsOfName(name) ? undefined : 'stray');
}

function idOf(name: string, kind: string | undefined): string {
  return kind === undefined ? idOfName(name) : `${kind}.${Buffer.from(name).toString('base64url')}`;
}

function isStray(name: string): boolean {
  return stageOf(name) !== undefined && partsOfName(name) === undefined;
}

function stageOf(name: string): Stage | undefined {
  return STAGES.find((stage) => name.startsWith(`${stage}/`));
}

/** On its way to storage, a name with such steps would become that of a blob elsewhere, in another container, too. */
function isPlain(name: string): boolean {
  return !name.includes('\\') && !name.split('/').some((step) => step === '' || step === '.' || step === '..');
}

/** From what the list tells of it; undefined where it tells too little, and the content must be read. */
export function letterOfListed({ name, createdAt, about }: ListedBlob): Letter | undefined {
  return about?.reason === undefined ? undefined : letterOfAbout(name, createdAt, about);
}

export function letterOfContent({ name, createdAt }: ListedBlob, content: string): Letter {
  const letter = readLetter(content);
  return letterOfAbout(name, createdAt, letter ? aboutLetter(letter) : { reason: 'unreadable' });
}

function letterOfAbout(name: LetterName, createdAt: Date, about: About): Letter {
  const { stage = stageOf(name) ?? 'invalid', redrives = 0 } = partsOfName(name) ?? {};
  const { reason = '', workflow = '', code = '', type = '', resourcetype = '', eventid = '' } = about;
  const { events = '1', holdsstate } = about;
  return {
    id: idOfLetter(name),
    stage,
    reason,
    workflow,
    error: code,
    type,
    resourceType: resourcetype,
    eventId: eventid,
    at: createdAt.toISOString(),
    redrives,
    events: Number(events) || 1,
    ...(holdsstate === 'true' && { holdsState: true }),
  };
}

/** `events` is undefined where the blob cannot be read. */
export function letterOfUndelivered(
  { name, createdAt }: ListedBlob,
  events: readonly Undelivered[] | undefined,
): Letter {
  const told = events?.map(({ delivered }) => loggableFieldsOf(delivered)) ?? [];
  return {
    id: idOfUndelivered(name),
    stage: 'undelivered',
    reason: events ? joined(events.map(({ reason }) => reason)) : 'unreadable',
    workflow: '',
    error: joined(events?.map(({ outcome }) => outcome) ?? []),
    type: joined(told.map(({ type }) => type)),
    resourceType: joined(told.map(({ resourceType }) => resourceType)),
    eventId: told.length === 1 ? (told[0]?.eventId ?? '') : '',
    at: createdAt.toISOString(),
    redrives: 0,
    events: told.length,
  };
}

function joined(words: readonly string[]): string {
  return [...new Set(words)].filter((word) => word !== '').join(' ');
}
