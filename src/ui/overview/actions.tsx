import { useState } from 'preact/hooks';
import type { Action } from '../../api/overview.js';
import { Empty, Shown } from '../parts/states.js';
import { Table } from '../parts/table.js';
import { Ago, numberText } from '../parts/text.js';
import { usePoll } from '../shell/poll.js';
import { access } from '../shell/session-state.js';

const WHAT: Readonly<Record<Action['what'], string>> = {
  redrive: 'redrove dead letters',
  discard: 'discarded dead letters',
  pause: 'paused',
  resume: 'resumed',
  compare: 'asked for a comparison',
};

/** Lists the actions of people. The page requests the list only when a person opens it. */
export function Actions() {
  const [isOpen, setIsOpen] = useState(false);
  const actions = usePoll<{ actions: Action[] }>(isOpen ? 'actions' : undefined, Number.POSITIVE_INFINITY);
  return (
    <details class="card" onToggle={(event) => setIsOpen(event.currentTarget.open)}>
      <summary>Who did what</summary>
      {isOpen && (
        <Shown of={actions}>
          {({ actions: found }) =>
            found.length === 0 ? (
              <Empty>Nobody has redriven, discarded or paused anything.</Empty>
            ) : (
              <Table label="Who did what" columns={['When', 'Who', 'What', 'How many', 'Why']}>
                {found.map((action, index) => (
                  <Row key={index} action={action} />
                ))}
              </Table>
            )
          }
        </Shown>
      )}
    </details>
  );
}

function Row({ action: { at, by, what, workflow = '', why, counts } }: { action: Action }) {
  const isMine = by === access.value?.caller.id && by !== 'key-holder';
  return (
    <tr>
      <th scope="row">
        <Ago at={at} />
      </th>
      <td data-name="Who">{isMine ? 'you' : <code class="cut">{by}</code>}</td>
      <td data-name="What">
        {WHAT[what]} {workflow}
      </td>
      <td data-name="How many">{counts ? countsText(counts) : 'not known: it runs, or the app has ended meanwhile'}</td>
      <td data-name="Why">{why ?? '–'}</td>
    </tr>
  );
}

/** `asked` is the app's code for a requested redrive. */
function countsText(counts: NonNullable<Action['counts']>): string {
  const texts = Object.entries(counts).map(
    ([code, count]) => `${numberText(count)} ${code === 'asked' ? 'requested' : code}`,
  );
  return texts.join(', ') || '–';
}
