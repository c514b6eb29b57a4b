import { useState } from 'preact/hooks';
import type { Action } from '../../api/overview.js';
import { Shown } from '../parts/states.js';
import { type Column, Table } from '../parts/table.js';
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

const COLUMNS: readonly Column<Action>[] = [
  { name: 'When', kind: 'heading', cell: ({ at }) => <Ago at={at} /> },
  { name: 'Who', cell: Who },
  { name: 'What', cell: ({ what, workflow = '' }) => `${WHAT[what]} ${workflow}` },
  {
    name: 'How many',
    cell: ({ counts }) => (counts ? countsText(counts) : 'not known: it runs, or the app has ended meanwhile'),
  },
  { name: 'Why', cell: ({ why }) => why ?? '–' },
];

/** Lists the actions of people. The page requests the list only when a person opens it. */
export function Actions() {
  const [isOpen, setIsOpen] = useState(false);
  const actions = usePoll<{ actions: Action[] }>(isOpen ? 'actions' : undefined, Number.POSITIVE_INFINITY);
  return (
    <details class="card" onToggle={(event) => setIsOpen(event.currentTarget.open)}>
      <summary>Who did what</summary>
      {isOpen && (
        <Shown of={actions}>
          {({ actions: rows }) => (
            <Table
              label="Who did what"
              columns={COLUMNS}
              rows={rows}
              keyOf={(_, index) => index}
              empty="Nobody has redriven, discarded or paused anything."
            />
          )}
        </Shown>
      )}
    </details>
  );
}

function Who({ by }: Pick<Action, 'by'>) {
  const isMine = by === access.value?.caller.id && by !== 'key-holder';
  return isMine ? 'you' : <code class="cut">{by}</code>;
}

/** `asked` is the app's code for a requested redrive. */
function countsText(counts: NonNullable<Action['counts']>): string {
  const texts = Object.entries(counts).map(
    ([code, count]) => `${numberText(count)} ${code === 'asked' ? 'requested' : code}`,
  );
  return texts.join(', ') || '–';
}
