import { createdUntil, deadLettersOf, type Filter, type Listing } from '../../dead-letters/list.js';
import type { ListedDeadLetter } from '../../dead-letters/listed.js';
import { discardMany, type RedriveMany, redriveMany } from '../../dead-letters/many.js';
import { newestDeadLetters } from '../../dead-letters/newest.js';
import type { Ids, Pace, Report } from '../../dead-letters/pace.js';
import { type Clinical, type Shown, showDeadLetter } from '../../dead-letters/show.js';
import type { DeadLetterStores } from '../../dead-letters/stores.js';
import { unknownNameIn } from '../../dead-letters/unknown-name.js';
import { OptionError } from '../options.js';

/** The dead letters that the verbs work on: in storage, or behind the HTTP API of an app (`app-source.ts`). */
export type Source = {
  list(listing: Listing): AsyncIterable<ListedDeadLetter>;
  newest(
    listing: Listing,
    options: { readonly max: number; readonly onCount: (all: number) => void },
  ): Promise<{ readonly letters: readonly ListedDeadLetter[]; readonly all: number }>;
  /** Returns one dead letter; undefined if no dead letter has this id. `withPayload` false: `Clinical` may be absent. */
  show(id: string, withPayload: boolean): Promise<({ readonly shown: Shown } & Partial<Clinical>) | undefined>;
  redrive(ids: Ids, options: RedriveMany, pace: Pace): Promise<Report>;
  discard(ids: Ids, note: Note, pace: Pace): Promise<Report>;
  /** Returns `filter`, limited to the dead letters that exist now. */
  createdUntil(filter: Filter): Promise<Filter>;
  /**
   * Checks a filter that has matched nothing.
   * @throws OptionError if neither the app nor any dead letter has the workflow, the reason or the type that it names
   */
  refuseUnknownNames(filter: Filter): Promise<void>;
};

type Note = Parameters<typeof discardMany>[1];

/** Returns the dead letters in `stores`. */
export function storageSource(stores: DeadLetterStores): Source {
  return {
    list: (listing) => deadLettersOf(stores, listing),
    newest: (listing, options) => newestDeadLetters(stores, listing, options),
    show: (id) => showDeadLetter(id, stores),
    redrive: (ids, options, pace) => redriveMany(ids, options, { pace, stores }),
    discard: (ids, note, pace) => discardMany(ids, note, { pace, stores }),
    createdUntil: async (filter) => createdUntil(await stores.storageNow(), filter),
    async refuseUnknownNames(filter) {
      const { workflows } = await import('../../workflows/index.js');
      const unknown = await unknownNameIn(filter, stores, workflows);
      if (unknown) throw new OptionError(`--${unknown.field} ${unknown.message}`);
    },
  };
}
