import { EVENT_TYPES, shortType } from '../events/kinds.js';
import { didYouMean, nearest } from '../nearest.js';
import { printable } from '../printable.js';
import { type Filter, NONE } from './list.js';
import { KNOWN_REASONS } from './listed.js';
import { valuesOf } from './newest.js';
import type { ReadStores } from './stores.js';

const MAX_SHOWN = 20;

type UnknownName = { readonly field: 'workflow' | 'reason' | 'type'; readonly message: string };

/**
 * Returns the first workflow, reason or type of a filter that neither the app nor any dead letter knows. For a filter that
 * matches nothing. Reads all dead letters, also the resolved ones, which can name a removed workflow.
 */
export async function unknownNameIn(
  filter: Filter,
  stores: ReadStores,
  workflows: readonly { readonly name: string }[],
): Promise<UnknownName | undefined> {
  const names: Record<UnknownName['field'], readonly string[]> = {
    workflow: workflows.map(({ name }) => name),
    reason: KNOWN_REASONS,
    type: EVENT_TYPES,
  };
  for (const field of ['workflow', 'reason', 'type'] as const) {
    const asked = filter[field];
    if (asked === undefined || asked === NONE || names[field].includes(asked)) continue;
    const known = new Set([...names[field], ...(await valuesOf(field, stores))]);
    if (!known.has(asked)) return { field, message: textOf(asked, known) };
  }
  return undefined;
}

function textOf(asked: string, known: ReadonlySet<string>): string {
  const similar = nearest(asked, known);
  const names = [...known].sort().slice(0, MAX_SHOWN).map(shown).join(', ');
  const question = didYouMean(similar && shown(similar));
  return `is '${shown(asked)}': neither the app nor any dead letter knows it.${question} Known: ${names}.`;
}

function shown(name: string): string {
  return printable(shortType(name));
}
