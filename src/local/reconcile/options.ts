import { GRACE_MS } from '../../reconcile/compare.js';
import { APP_OPTIONS } from '../app-client.js';
import { numberOf, OptionError, parseValues, textOf, timeOf, type Values } from '../options.js';
import { PACE } from './help.js';

const TEXT = { type: 'string' } as const;
const FLAG = { type: 'boolean' } as const;
const OPTIONS = {
  since: TEXT,
  until: TEXT,
  service: TEXT,
  types: TEXT,
  workflow: TEXT,
  'find-removed': FLAG,
  'rows-lost': FLAG,
  'dry-run': FLAG,
  rate: TEXT,
  json: FLAG,
  account: TEXT,
  'workflow-account': TEXT,
  ...APP_OPTIONS,
  help: FLAG,
};
/** Options that only a comparison of history has. */
const HISTORY_ONLY = ['since', 'until', 'workflow', 'rows-lost'];
const MAX_RATE = 20_000;

/** The options of a comparison of history, checked as far as possible without settings. Times are ISO 8601 in UTC. */
export type HistoryOptions = ReturnType<typeof readHistoryOptions>;

/** The options of `--find-removed`, which a comparison of history has, too. */
export type RemovedOptions = ReturnType<typeof readCommon>;

/** Returns the options as given. @throws OptionError where an option is unknown, has no value or an empty value */
export function parseOptions(args: readonly string[]): Values {
  return parseValues(args, OPTIONS).values;
}

/** Returns the options of a comparison of history. @throws OptionError */
export function readHistoryOptions(values: Values, now: Date) {
  return {
    ...readSpan(values, now),
    ...readCommon(values),
    workflow: textOf(values, 'workflow'),
    areRowsLost: values['rows-lost'] === true,
  };
}

/** Returns the options of `--find-removed`. @throws OptionError */
export function readRemovedOptions(values: Values): RemovedOptions {
  const other = HISTORY_ONLY.find((name) => values[name] !== undefined);
  if (other !== undefined)
    throw new OptionError(`--${other} does not go with --find-removed, which compares the present state of a service.`);
  return readCommon(values);
}

function readCommon(values: Values) {
  return {
    service: textOf(values, 'service')?.toLowerCase(),
    types: textOf(values, 'types')
      ?.split(',')
      .map((type) => type.trim())
      .filter((type) => type !== ''),
    isDryRun: values['dry-run'] === true,
    isJson: values.json === true,
    perSecond: numberOf(values, 'rate', { from: 0.01, to: MAX_RATE }) ?? PACE.perSecond,
  };
}

function readSpan(values: Values, now: Date) {
  const since = timeOf(values, 'since', 'T00:00:00.000Z');
  if (since === undefined)
    throw new OptionError('--since is missing: give the time from which on changes are compared, such as 2026-03-14.');
  const until = timeOf(values, 'until', 'T24:00:00.000Z');
  refuseFuture(values, 'since', { at: since, now });
  if (until !== undefined) refuseFuture(values, 'until', { at: until, now });
  if (until !== undefined && until <= since)
    throw new OptionError(
      `--since is '${textOf(values, 'since')}', must be before --until '${textOf(values, 'until')}'.`,
    );
  if (now.getTime() - since.getTime() < GRACE_MS)
    throw new OptionError(
      `--since is '${textOf(values, 'since')}', must be at least ${GRACE_MS / 60_000} minutes ago: ` +
        'events of newer changes may still arrive.',
    );
  return { since: since.toISOString(), until: until?.toISOString() };
}

function refuseFuture(values: Values, name: 'since' | 'until', { at, now }: { at: Date; now: Date }): void {
  if (at <= now) return;
  const hint = name === 'until' ? ' Leave it out to compare all changes until 10 minutes ago.' : '';
  const time = now.toISOString().slice(0, 16);
  throw new OptionError(`--${name} is '${textOf(values, name)}', must not be in the future: it is ${time}Z.${hint}`);
}
