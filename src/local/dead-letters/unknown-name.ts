import type { Filter } from '../../dead-letters/list.js';
import { REASONS } from '../../dead-letters/listed.js';
import { valuesOf } from '../../dead-letters/newest.js';
import type { DeadLetterStores } from '../../dead-letters/stores.js';
import { EVENT_TYPES } from '../../events/kinds.js';
import { printable } from '../../printable.js';
import { nearest } from '../nearest.js';
import { OptionError } from './options.js';

const MAX_SHOWN = 20;

/** The names that the app knows. */
const KNOWN = {
  workflow: async () => (await import('../../workflows/index.js')).workflows.map(({ name }) => name),
  reason: async () => REASONS,
  type: async () => EVENT_TYPES,
};

/**
 * For a filter that matches nothing: throws if the filter names a workflow, a reason or a type that neither the app nor
 * any dead letter knows. Reads all dead letters, also the resolved ones, which still name a removed workflow.
 *
 * @throws OptionError
 */
export async function refuseUnknownNames(filter: Filter, stores: DeadLetterStores): Promise<void> {
  for (const word of ['workflow', 'reason', 'type'] as const) {
    const asked = filter[word];
    if (asked === undefined) continue;
    const known = new Set(await KNOWN[word]());
    if (known.has(asked)) continue;
    for (const value of await valuesOf(word, stores)) known.add(value);
    if (known.has(asked)) continue;
    const similar = nearest(asked, known);
    const names = [...known].sort().slice(0, MAX_SHOWN).map(printable).join(', ');
    throw new OptionError(
      `--${word} is '${asked}': neither the app nor any dead letter knows it. ${similar === undefined ? '' : `Did you mean ${printable(similar)}? `}Known: ${names}.`,
    );
  }
}
