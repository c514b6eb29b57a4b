import { type Desk, REASONS } from '../../dead-letters/letter.js';
import type { Filter } from '../../dead-letters/list.js';
import { valuesOf } from '../../dead-letters/newest.js';
import { EVENT_TYPES } from '../../events/kinds.js';
import { printable } from '../../printable.js';
import { nearest } from '../nearest.js';
import { OptionError } from './options.js';

const MOST_SHOWN = 20;

/** The names that the app itself knows. */
const KNOWN = {
  workflow: async () => (await import('../../workflows/index.js')).workflows.map(({ name }) => name),
  reason: async () => REASONS,
  type: async () => EVENT_TYPES,
};

/**
 * For a filter that has matched nothing: throws where it names a workflow, a reason or a type that neither the app nor
 * any dead letter knows. Walks all dead letters, also the resolved ones: those of a removed workflow still name it.
 */
export async function refuseUnknownNames(filter: Filter, desk: Desk): Promise<void> {
  for (const word of ['workflow', 'reason', 'type'] as const) {
    const asked = filter[word];
    if (asked === undefined) continue;
    const known = new Set(await KNOWN[word]());
    if (known.has(asked)) continue;
    for (const value of await valuesOf(word, desk)) known.add(value);
    if (known.has(asked)) continue;
    const similar = nearest(asked, known);
    const names = [...known].sort().slice(0, MOST_SHOWN).map(printable).join(', ');
    throw new OptionError(
      `--${word} is '${asked}': neither the app nor any dead letter knows it. ${similar === undefined ? '' : `Did you mean ${printable(similar)}? `}Known: ${names}.`,
    );
  }
}
