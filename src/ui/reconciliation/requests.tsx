import type { ReconcileRequest } from '../../api/reconcile.js';
import { type Column, Table } from '../parts/table.js';
import { Ago, numberText, Time } from '../parts/text.js';

const STATES = { waiting: 'amber', running: 'blue', done: 'green', failed: 'red' } as const;
const COUNTS: Readonly<Record<string, string>> = { broughtIn: 'brought in' };

const COLUMNS: readonly Column<ReconcileRequest>[] = [
  { name: 'Request', kind: 'heading', cell: What },
  { name: 'State', cell: ({ state }) => <span class={`badge ${STATES[state]}`}>{state}</span> },
  {
    name: 'Counts',
    cell: ({ counts }) => (
      <ul class="plain-list">
        {Object.entries(counts).map(([name, count]) => (
          <li key={name}>
            {numberText(count)} {COUNTS[name] ?? name}
          </li>
        ))}
      </ul>
    ),
  },
  { name: 'Asked', cell: ({ askedAt }) => <Ago at={askedAt} /> },
  { name: 'What the app says', cell: ({ message }) => message },
];

/** Lists the requests of people, with their progress. */
export function Requests({ requests }: { requests: readonly ReconcileRequest[] }) {
  return (
    <Table
      label="Requests for comparisons, the newest first"
      columns={COLUMNS}
      rows={requests}
      keyOf={({ id }) => id}
      empty="Nobody has asked for a comparison in the last 30 days."
    />
  );
}

function What({ findRemoved, rowsLost, dryRun, since, until, service, types, workflow }: ReconcileRequest) {
  return (
    <>
      {findRemoved ? (
        'Removed resources'
      ) : (
        <>
          Changes from <Time at={since} /> to <Time at={until} />
        </>
      )}
      {rowsLost && <span class="badge">rows lost</span>}
      {dryRun && <span class="badge">count only</span>}
      <span class="quiet cut">{[service, types?.join(', '), workflow].filter(Boolean).join(' · ')}</span>
    </>
  );
}
