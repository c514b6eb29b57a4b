import type { ParseArgsConfig } from 'node:util';
import type { Filter } from '../../dead-letters/list.js';
import { FILTER_FIELDS, type FilterField, LISTED_STAGES, type ListedStage } from '../../dead-letters/listed.js';
import { fullType } from '../../events/kinds.js';
import { APP_OPTIONS } from '../app-client.js';
import { OptionError, parseValues, textOf, timeOf, type Values } from '../options.js';
import type { Verb } from './help.js';

/** The arguments of a verb. `signal` aborts at Ctrl-C, so that redrive and discard report their counts. */
export type VerbArguments = { readonly values: Values; readonly ids: readonly string[]; readonly signal: AbortSignal };

const TEXT = { type: 'string' } as const;
const FLAG = { type: 'boolean' } as const;
const EVENT_FILTER = { type: TEXT, 'resource-type': TEXT, from: TEXT, to: TEXT };
const FILTER = { ...EVENT_FILTER, stage: TEXT, reason: TEXT, workflow: TEXT, error: TEXT, frame: TEXT };
const COMMON = { account: TEXT, 'undelivered-account': TEXT, ...APP_OPTIONS, help: FLAG };
const CHANGE = { ...FILTER, all: FLAG, 'dry-run': FLAG, rate: TEXT, json: FLAG };

const VERB_OPTIONS = {
  list: { ...COMMON, ...FILTER, by: TEXT, limit: TEXT, resolved: FLAG, json: FLAG },
  show: { ...COMMON, payload: FLAG, out: TEXT, json: FLAG },
  redrive: { ...COMMON, ...CHANGE, edit: TEXT, force: FLAG, 'at-once': TEXT, wait: FLAG, 'stop-after': TEXT },
  discard: { ...COMMON, ...CHANGE, why: TEXT },
  export: { ...COMMON, ...FILTER, out: TEXT },
} as const satisfies Record<Verb, ParseArgsConfig['options']>;

/** Returns the options and ids of a verb. @throws OptionError */
export function parseOptions(verb: Verb, args: readonly string[]): { values: Values; ids: readonly string[] } {
  const { values, positionals: ids } = parseValues(args, VERB_OPTIONS[verb], true);
  // An empty variable of a script must not turn one dead letter into all of them.
  if (ids.some((id) => id.trim() === '')) throw new OptionError('An id is empty: give an id that list shows.');
  return { values, ids };
}

/** Returns the share of an option, such as '20%' or '0.2'; undefined if the option is missing. @throws OptionError */
export function shareOf(values: Values, name: string): number | undefined {
  const text = textOf(values, name);
  if (text === undefined) return undefined;
  const [, digits, percent] = /^(\d+(?:\.\d+)?)(%?)$/.exec(text) ?? [];
  const share = Number(digits) / (percent ? 100 : 1);
  if (!(share >= 0 && share < 1))
    throw new OptionError(`--${name} is '${text}', must be a share under 100 %, such as 20% or 0.2.`);
  return share;
}

/** Returns the filter that the options make; a missing option matches every dead letter. @throws OptionError */
export function filterOf(values: Values): Filter {
  const type = textOf(values, 'type');
  return {
    stage: stageOf(values),
    reason: textOf(values, 'reason'),
    workflow: textOf(values, 'workflow'),
    error: textOf(values, 'error'),
    frame: textOf(values, 'frame'),
    type: type === undefined ? undefined : fullType(type),
    resourceType: textOf(values, 'resource-type'),
    from: timeOf(values, 'from', 'T00:00:00.000Z'),
    to: timeOf(values, 'to', 'T23:59:59.999Z'),
  };
}

/** Returns whether the filter matches every dead letter. */
export function isEmpty(filter: Filter): boolean {
  return Object.values(filter).every((value) => value === undefined);
}

/** Returns the fields of --by, in the order given; undefined if --by is missing. @throws OptionError */
export function groupingsOf(values: Values): FilterField[] | undefined {
  const by = textOf(values, 'by')?.split(',');
  const wrong = by?.find((name) => !(FILTER_FIELDS as readonly string[]).includes(name));
  if (wrong !== undefined)
    throw new OptionError(`--by has '${wrong}', must be one or more of ${FILTER_FIELDS.join(', ')}.`);
  return by as FilterField[] | undefined;
}

function stageOf(values: Values): ListedStage | undefined {
  const stage = textOf(values, 'stage');
  if (stage === undefined || (LISTED_STAGES as readonly string[]).includes(stage))
    return stage as ListedStage | undefined;
  throw new OptionError(`--stage is '${stage}', must be one of ${LISTED_STAGES.join(', ')}.`);
}
