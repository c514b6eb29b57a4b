import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { DeadLetterGroups } from '../../api/dead-letters.js';
import { Select } from '../parts/field.js';
import { FailureBox, Shown } from '../parts/states.js';
import { type Column, Table } from '../parts/table.js';
import { Ago, counted, numberText } from '../parts/text.js';
import { linkTo } from '../shell/route.js';
import { addCounts, CAUSE, filterOfCause, keepCount, keyOf, knownCount } from './counts.js';
import { type Filter, pathOf } from './filter.js';
import { type Pages, usePages } from './pages.js';

type Group = DeadLetterGroups['groups'][number];
type GroupsProps = {
  readonly filter: Filter;
  /** Shows the actions on the dead letters that were found. */
  readonly children: (found: Pick<DeadLetterGroups, 'letters' | 'isMore' | 'groups'>) => ComponentChildren;
};

const ORDERS = {
  count: { text: 'the most first', compare: (one: Group, other: Group) => other.letters - one.letters },
  oldest: {
    text: 'the oldest first',
    compare: (one: Group, other: Group) => one.oldestAt.localeCompare(other.oldestAt),
  },
  newest: {
    text: 'the newest first',
    compare: (one: Group, other: Group) => other.newestAt.localeCompare(one.newestAt),
  },
};
/** The list shows this many causes. The others come after a click. */
const MAX_SHOWN = 100;

/**
 * Lists dead letters by cause. The count starts only when a person asks for it, because it reads every name in storage.
 * The counts so far are shown meanwhile.
 */
export function Groups({ filter, children }: GroupsProps) {
  const groups = usePages<DeadLetterGroups>({
    pathAfter: (before) => pathOf('dead-letters', { ...filter, by: CAUSE.join(), after: before?.next ?? '' }),
    add: addCounts,
    isEnough: ({ next }) => next === null,
    known: knownCount(filter),
    onEnd: (all) => keepCount(filter, all),
  });
  const { failure, refresh, value } = groups;
  return (
    <section aria-labelledby="causes">
      <h2 id="causes">Causes</h2>
      {value && failure && <FailureBox failure={failure} onRetry={refresh} />}
      <Shown of={groups}>
        {(found) =>
          found.letters === 0 && !groups.isAsking ? (
            <p class="empty">{noneText(filter)}</p>
          ) : (
            <>
              {found.letters > 0 && children(found)}
              <GroupTable groups={groups} found={found} filter={filter} />
            </>
          )
        }
      </Shown>
    </section>
  );
}

function noneText(filter: Filter): string {
  if (filter.resolved) return 'No resolved dead letter matches. They are kept for RESOLVED_RETENTION_DAYS.';
  if (Object.keys(filter).length > 0) return 'No dead letter matches. Show all, or change the filter.';
  return 'No dead letter is pending. The app has handled every event, or waits to try it again.';
}

type GroupTableProps = {
  readonly filter: Filter;
  readonly groups: Pages<DeadLetterGroups>;
  readonly found: DeadLetterGroups;
};

function GroupTable({ groups: { isAsking, at }, found, filter }: GroupTableProps) {
  const [order, setOrder] = useState<keyof typeof ORDERS>('count');
  const [max, setMax] = useState(MAX_SHOWN);
  const sorted = found.groups.toSorted(ORDERS[order].compare);
  return (
    <>
      <p>
        {counted(found.letters, 'dead letter')}, {counted(sorted.length, 'cause')},{' '}
        <Select
          label="Order of causes"
          labelIs="hidden"
          value={order}
          options={Object.entries(ORDERS).map(([name, { text }]) => [name, text] as const)}
          onInput={(name) => setOrder(name as keyof typeof ORDERS)}
        />{' '}
        {isAsking ? (
          <span class="badge blue">Counting goes on …</span>
        ) : (
          <span class="quiet">
            {found.isMore ? 'Counting has stopped' : 'Counted'} <Ago at={at?.toISOString()} />
          </span>
        )}
      </p>
      <Table label="Dead letters by cause" columns={columnsOf(filter)} rows={sorted.slice(0, max)} keyOf={keyOf} />
      {sorted.length > max && (
        <button type="button" onClick={() => setMax(Number.POSITIVE_INFINITY)}>
          Show the other {counted(sorted.length - max, 'cause')}
        </button>
      )}
    </>
  );
}

/** Returns the columns of a cause, whose link keeps the other fields of the filter. */
function columnsOf(filter: Filter): readonly Column<Group>[] {
  return [
    { name: 'Cause', kind: 'heading', cell: (group) => <Cause group={group} filter={filter} /> },
    { name: 'Dead letters', kind: 'number', cell: LetterCount },
    { name: 'Oldest', cell: (group) => <Example of={group} id={group.example} at={group.oldestAt} which="oldest" /> },
    { name: 'Newest', cell: (group) => <Example of={group} id={group.newest} at={group.newestAt} which="newest" /> },
  ];
}

function nameOf({ by }: Group): string {
  return [by.workflow, by.reason].filter(Boolean).join(': ') || 'unknown';
}

function Cause({ group, filter }: { group: Group; filter: Filter }) {
  const { reason, error, frame } = group.by;
  return (
    <>
      <a href={linkTo('dead-letters', { query: { ...filter, ...filterOfCause(group) } })}>{nameOf(group)}</a>
      {error && error !== reason && <code class="cut">{error}</code>}
      {frame && <code class="quiet cut">{frame}</code>}
    </>
  );
}

function LetterCount({ letters, events, redriven }: Group) {
  return (
    <>
      {numberText(letters)}
      {events !== letters && <span class="quiet"> ({numberText(events)} events)</span>}
      {redriven > 0 && <span class="quiet"> ({numberText(redriven)} failed again after a redrive)</span>}
    </>
  );
}

function Example({ of, id, at, which }: { of: Group; id: string; at: string; which: string }) {
  return (
    <a href={linkTo('dead-letters', { id })}>
      <span class="only-read">
        The {which} one of {nameOf(of)}:{' '}
      </span>
      <Ago at={at} />
    </a>
  );
}
