import type { Random } from '../../clock.js';
import type { Dataset } from '../dicom/dataset.js';
import type { ImageSelector } from '../dicom/image-store.js';

/** A FHIR resource as parsed JSON. */
export type Resource = { readonly resourceType: string; readonly id?: string; readonly [element: string]: unknown };

/** A story of changes in a workspace, played at any speed. Each scenario has a file; `index.ts` lists them. */
export type Scenario = {
  readonly name: string;
  /** One line that helps people to choose. */
  readonly summary: string;
  /** The values for a run that sets none. */
  readonly defaults: { readonly events: number; readonly rate: number; readonly timeScale: number };
  /** The receiver does not answer until Event Grid has given up on every event; then they are redriven. */
  readonly isReceiverDown?: true;
  /**
   * Makes one change after the other without an end, and yields after each. There the run waits, and ends when enough
   * events were made. Changes depend on `world.random` alone, so that the same seed makes the same changes.
   */
  play(world: World): Generator<void, never>;
};

/** The changes that a scenario can make. Each takes effect at once, and makes the events of the real service. */
export type World = {
  readonly random: Random;
  now(): Date;
  /** The number of changes that are still to be made. */
  left(): number;
  /** Creates a resource and returns its id. */
  create(resource: Resource): string;
  /** Creates or updates the resource with this `id`. */
  update(resource: Resource & { id: string }): void;
  remove(resourceType: string, id: string): void;
  /** Removes a resource with its history, which makes no event. A later `update` begins at version 1. */
  hardDelete(resourceType: string, id: string): void;
  /** Turns the events of both services on or off. Changes made while events are off count as events that were made. */
  switchEvents(isOn: boolean): void;
  /** Runs a transaction. A reference to the `fullUrl` of an entry becomes a reference to its resource. */
  transact(entries: readonly { fullUrl: string; resource: Resource }[]): void;
  /** Stores an image; `false` where the image exists, which makes no event. */
  store(image: Dataset): boolean;
  removeImages(selector: ImageSelector): void;
  /** Sets attributes in all images of a study. */
  updateStudy(studyUid: string, values: Dataset): void;
};

/** Returns a random element; undefined if `from` is empty, which the type does not show. */
export function pick<T>({ number }: Random, from: readonly T[]): T {
  return from[Math.floor(number() * from.length)] as T;
}

/** Returns a whole number, at least `from`, at most `to`. */
export function between({ number }: Random, from: number, to: number): number {
  return from + Math.floor(number() * (to - from + 1));
}
