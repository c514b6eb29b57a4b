import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { DeadLetterGroups } from '../../api/dead-letters.js';
import { Empty, FailureBox, Shown } from '../parts/states.js';
import { Table } from '../parts/table.js';
import { Ago, counted, numberText } from '../parts/text.js';
import { linkTo } from '../shell/route.js';
import { addCounts, CAUSE, countKnown, filterOfCause, keepCount, keyOf } from './counts.js';
import { type Filter, pathOf } from './filter.js';
import { type Pages, usePages } from './pages.js';

type Group = DeadLetterGroups['groups'][number];
type GroupsProps = {
  readonly filter: Filter;
  readonly isResolved: boolean;
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
export function Groups({ filter, isResolved, children }: GroupsProps) {
  const groups = usePages<DeadLetterGroups>({
    pathAfter: (before) =>
      pathOf('dead-letters', {
        ...filter,
        resolved: isResolved ? 'true' : '',
        by: CAUSE.join(),
        after: before?.next ?? '',
      }),
    add: addCounts,
    isEnough: ({ next }) => next === null,
    known: countKnown(filter, isResolved),
    onEnd: (all) => Object.keys(filter).length === 0 && keepCount(isResolved, all),
  });
  const { failure, refresh, value } = groups;
  return (
    <section aria-labelledby="causes">
      <h2 id="causes">Causes</h2>
      {value && failure && <FailureBox failure={failure} onRetry={refresh} />}
      <Shown of={groups}>
        {(found) =>
          found.letters === 0 && !groups.isAsking ? (
            <NoneFound isFiltered={Object.keys(filter).length > 0} isResolved={isResolved} />
          ) : (
            <>
              {found.letters > 0 && children(found)}
              <GroupTable groups={groups} found={found} filter={filter} isResolved={isResolved} />
            </>
          )
        }
      </Shown>
    </section>
  );
}

function NoneFound({ isFiltered, isResolved }: { isFiltered: boolean; isResolved: boolean }) {
  if (isResolved) return <Empty>No resolved dead letter matches. They are kept for RESOLVED_RETENTION_DAYS.</Empty>;
  if (isFiltered) return <Empty>No dead letter matches. Show all, or change the filter.</Empty>;
  return <Empty>No dead letter is pending. The app has handled every event, or waits to try it again.</Empty>;
}

type GroupTableProps = Pick<GroupsProps, 'filter' | 'isResolved'> & {
  readonly groups: Pages<DeadLetterGroups>;
  readonly found: DeadLetterGroups;
};

function GroupTable({ groups: { isAsking, at }, found, filter, isResolved }: GroupTableProps) {
  const [order, setOrder] = useState<keyof typeof ORDERS>('count');
  const [max, setMax] = useState(MAX_SHOWN);
  const sorted = found.groups.toSorted(ORDERS[order].compare);
  return (
    <>
      <p>
        {counted(found.letters, 'dead letter')}, {counted(sorted.length, 'cause')},{' '}
        <label>
          <span class="only-read">Order of causes</span>
          <select value={order} onChange={(event) => setOrder(event.currentTarget.value as keyof typeof ORDERS)}>
            {Object.entries(ORDERS).map(([name, { text }]) => (
              <option key={name} value={name}>
                {text}
              </option>
            ))}
          </select>
        </label>{' '}
        {isAsking ? (
          <span class="badge blue">Counting goes on …</span>
        ) : (
          <span class="quiet">
            {found.isMore ? 'Counting has stopped' : 'Counted'} <Ago at={at?.toISOString()} />
          </span>
        )}
      </p>
      <Table
        label="Dead letters by cause"
        columns={['Cause', 'Dead letters', 'Oldest', 'Newest']}
        numbers={['Dead letters']}
      >
        {sorted.slice(0, max).map((group) => (
          <GroupRow key={keyOf(group)} group={group} filter={filter} isResolved={isResolved} />
        ))}
      </Table>
      {sorted.length > max && (
        <button type="button" onClick={() => setMax(Number.POSITIVE_INFINITY)}>
          Show the other {counted(sorted.length - max, 'cause')}
        </button>
      )}
    </>
  );
}

function GroupRow({ group, filter, isResolved }: { group: Group; filter: Filter; isResolved: boolean }) {
  const { by, letters, events, redriven, oldestAt, newestAt, example, newest } = group;
  const name = [by.workflow, by.reason].filter(Boolean).join(': ') || 'unknown';
  const query = { ...filter, ...filterOfCause(group), resolved: isResolved ? 'true' : '' };
  return (
    <tr>
      <th scope="row">
        <a href={linkTo('dead-letters', { query })}>{name}</a>
        {by.error && by.error !== by.reason && <code class="cut">{by.error}</code>}
        {by.frame && <code class="quiet cut">{by.frame}</code>}
      </th>
      <td class="number" data-name="Dead letters">
        {numberText(letters)}
        {events !== letters && <span class="quiet"> ({numberText(events)} events)</span>}
        {redriven > 0 && <span class="quiet"> ({numberText(redriven)} failed again after a redrive)</span>}
      </td>
      <td data-name="Oldest">
        <a href={linkTo('dead-letters', { id: example })}>
          <span class="only-read">The oldest one of {name}: </span>
          <Ago at={oldestAt} />
        </a>
      </td>
      <td data-name="Newest">
        <a href={linkTo('dead-letters', { id: newest })}>
          <span class="only-read">The newest one of {name}: </span>
          <Ago at={newestAt} />
        </a>
      </td>
    </tr>
  );
}
