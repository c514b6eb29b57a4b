import type { Clock } from '../clock.js';
import { toldOf } from '../events/told.js';
import type { About, BlobStore, ListedBlob } from '../storage/blob-store.js';
import { aboutLetter, type DeadLetters, readLetter, type Stage } from '../storage/dead-letters.js';
import type { Ledger } from '../storage/ledger.js';
import { idOfName, type LetterName, nameOfId, partsOfName, STAGES } from '../storage/letter-names.js';
import type { Waiting } from '../storage/waiting.js';
import { eventsOf } from './undelivered.js';

/** Where letters are, and what their redrive needs. */
export type Desk = {
  readonly letters: BlobStore;
  readonly deadLetters: Pick<DeadLetters, 'write' | 'move'>;
  /** Event Grid's own. */
  readonly undelivered: BlobStore;
  readonly ledger: Pick<Ledger, 'read'>;
  readonly waiting: Pick<Waiting, 'add' | 'isThere'>;
  readonly clock: Clock;
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
};

/** `undelivered`: what Event Grid gave up on, a blob each. */
export type LetterStage = Stage | 'undelivered';
export const LETTER_STAGES: readonly LetterStage[] = [...STAGES, 'undelivered'];

export type Place =
  | { readonly kind: 'letter'; readonly name: LetterName }
  | { readonly kind: 'undelivered'; readonly name: string };

/** Undefined where `id` is none. */
export function placeOfLetter(id: string): Place | undefined {
  const [, encoded] = /^undelivered\.([\w-]+)$/.exec(id) ?? [];
  if (encoded !== undefined) return { kind: 'undelivered', name: Buffer.from(encoded, 'base64url').toString() };
  const name = nameOfId(id);
  return name === undefined ? undefined : { kind: 'letter', name };
}

/** A blob of Event Grid's has a name of slashes. */
export function idOfUndelivered(name: string): string {
  return `undelivered.${Buffer.from(name).toString('base64url')}`;
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
  const { stage = 'invalid', redrives = 0 } = partsOfName(name) ?? {};
  const { reason = '', workflow = '', code = '', type = '', resourcetype = '', eventid = '' } = about;
  return {
    id: idOfName(name),
    stage,
    reason,
    workflow,
    error: code,
    type,
    resourceType: resourcetype,
    eventId: eventid,
    at: createdAt.toISOString(),
    redrives,
    events: 1,
  };
}

export function letterOfUndelivered({ name, createdAt }: ListedBlob, content: string): Letter {
  const events = eventsOf(content);
  const told = events?.map(({ delivered }) => toldOf(delivered)) ?? [];
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
