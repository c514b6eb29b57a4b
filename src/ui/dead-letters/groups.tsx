import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { DeadLetterGroups } from '../../api/dead-letters.js';
import { Empty, Shown } from '../parts/states.js';
import { Table } from '../parts/table.js';
import { Ago, counted, numberText } from '../parts/text.js';
import { usePoll } from '../shell/poll.js';
import { linkTo } from '../shell/route.js';
import { type Filter, pathOf } from './filter.js';

type Group = DeadLetterGroups['groups'][number];
type GroupsProps = {
  readonly filter: Filter;
  readonly isResolved: boolean;
  /** What can be done with what was found. */
  readonly children: (found: Pick<DeadLetterGroups, 'letters' | 'isMore'>) => ComponentChildren;
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
const BY = 'reason,workflow,error,frame';

/** Dead letters by cause. A cause is counted when a person asks, not by itself: it reads every name in storage. */
export function Groups({ filter, isResolved, children }: GroupsProps) {
  const resolved = isResolved ? 'true' : '';
  const groups = usePoll<DeadLetterGroups>(pathOf('dead-letters', { ...filter, resolved, by: BY }), Infinity);
  return (
    <section aria-labelledby="causes">
      <h2 id="causes">Causes</h2>
      <Shown of={groups}>
        {(found) =>
          found.letters === 0 ? (
            <NoneFound isFiltered={Object.keys(filter).length > 0} isResolved={isResolved} />
          ) : (
            <>
              {children(found)}
              <GroupTable found={found} filter={filter} isResolved={isResolved} />
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

function GroupTable({
  found,
  filter,
  isResolved,
}: Pick<GroupsProps, 'filter' | 'isResolved'> & { found: DeadLetterGroups }) {
  const [order, setOrder] = useState<keyof typeof ORDERS>('count');
  const sorted = found.groups.toSorted(ORDERS[order].compare);
  return (
    <>
      <p>
        {counted(found.letters, 'dead letter')}
        {found.isMore && ' and more: counting ends here'}, {counted(sorted.length, 'cause')},{' '}
        <label>
          <span class="only-read">Order of causes</span>
          <select value={order} onChange={(event) => setOrder(event.currentTarget.value as keyof typeof ORDERS)}>
            {Object.entries(ORDERS).map(([name, { text }]) => (
              <option key={name} value={name}>
                {text}
              </option>
            ))}
          </select>
        </label>
      </p>
      <Table
        label="Dead letters by cause"
        columns={['Cause', 'Dead letters', 'Oldest', 'Newest', 'See']}
        numbers={['Dead letters']}
      >
        {sorted.map((group) => (
          <GroupRow key={JSON.stringify(group.by)} group={group} filter={filter} isResolved={isResolved} />
        ))}
      </Table>
    </>
  );
}

function GroupRow({ group, filter, isResolved }: { group: Group; filter: Filter; isResolved: boolean }) {
  const { by, letters, events, oldestAt, newestAt, example } = group;
  const query = { ...filter, ...by, resolved: isResolved ? 'true' : '' };
  return (
    <tr>
      <th scope="row">
        <a href={linkTo('dead-letters', { query })}>
          {[by.workflow, by.reason].filter(Boolean).join(': ') || 'unknown'}
        </a>
        {by.error && by.error !== by.reason && <code class="cut">{by.error}</code>}
        {by.frame && <code class="quiet cut">{by.frame}</code>}
      </th>
      <td class="number" data-name="Dead letters">
        {numberText(letters)}
        {events !== letters && <span class="quiet"> ({numberText(events)} events)</span>}
      </td>
      <td data-name="Oldest">
        <Ago at={oldestAt} />
      </td>
      <td data-name="Newest">
        <Ago at={newestAt} />
      </td>
      <td data-name="See">
        <a href={linkTo('dead-letters', { id: example })} aria-label="See the oldest one of this cause">
          Oldest one
        </a>
      </td>
    </tr>
  );
}
