import type { Random } from '../../clock.js';
import type { Dataset } from '../dicom/dataset.js';

/** A FHIR resource as parsed JSON. */
export type Resource = { readonly resourceType: string; readonly id?: string; readonly [element: string]: unknown };

/** What happens in a workspace over a while, played at any speed. A file each; `index.ts` lists them. */
export type Scenario = {
  readonly name: string;
  /** For people who choose one: a line. */
  readonly summary: string;
  /** What a run does where it is told nothing else. */
  readonly defaults: { readonly events: number; readonly rate: number; readonly timeScale: number };
  /** `down`: nobody answers until Event Grid has given up on every event; then the receiver is back, and they are redriven. */
  readonly receiver: 'up' | 'down';
  /**
   * Makes one change after the other, without an end, and yields after each: there the run waits, and ends when enough
   * events were made. What it does may depend on `world.random` alone, so that the same seed plays the same.
   */
  play(world: World): Generator<void, never>;
};

/** What a scenario changes. Every call takes effect at once, and makes the events that the service would make of it. */
export type World = {
  readonly random: Random;
  now(): Date;
  /** How many more events are wanted. */
  left(): number;
  /** Returns the id that the service gave it. */
  create(resource: Resource): string;
  /** Needs an `id`. */
  update(resource: Resource & { id: string }): void;
  remove(resourceType: string, id: string): void;
  /** A transaction: each resource is made under its `fullUrl`, and references to a fullUrl lead to it. */
  transact(entries: readonly { fullUrl: string; resource: Resource }[]): void;
  /** An image; `false` where it was there already, which makes no event. */
  store(image: Dataset): boolean;
  removeImages(of: { studyUid: string; seriesUid?: string; instanceUid?: string }): void;
  /** New values for all images of a study. */
  updateStudy(studyUid: string, values: Dataset): void;
};

export function pick<T>({ number }: Random, from: readonly T[]): T {
  return from[Math.floor(number() * from.length)] as T;
}

/** A whole number, at least `from`, at most `to`. */
export function between({ number }: Random, from: number, to: number): number {
  return from + Math.floor(number() * (to - from + 1));
}
