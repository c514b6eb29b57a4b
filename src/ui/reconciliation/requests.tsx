import type { ReconcileRequest } from '../../api/reconcile.js';
import { Table } from '../parts/table.js';
import { Ago, numberText, Time } from '../parts/text.js';

const STATES = { waiting: 'amber', running: 'blue', done: 'green', failed: 'red' } as const;
const COUNTS: Readonly<Record<string, string>> = { broughtIn: 'brought in' };

/** Lists the requests of people, with their progress. */
export function Requests({ requests }: { requests: readonly ReconcileRequest[] }) {
  return (
    <Table
      label="Requests for comparisons, the newest first"
      columns={['Request', 'State', 'Counts', 'Asked', 'What the app says']}
    >
      {requests.map((one) => (
        <tr key={one.id}>
          <th scope="row">
            <What of={one} />
          </th>
          <td data-name="State">
            <span class={`badge ${STATES[one.state]}`}>{one.state}</span>
          </td>
          <td data-name="Counts">
            <ul class="plain-list">
              {Object.entries(one.counts).map(([name, count]) => (
                <li key={name}>
                  {numberText(count)} {COUNTS[name] ?? name}
                </li>
              ))}
            </ul>
          </td>
          <td data-name="Asked">
            <Ago at={one.askedAt} />
          </td>
          <td data-name="What the app says">{one.message}</td>
        </tr>
      ))}
    </Table>
  );
}

function What({
  of: { findRemoved, rowsLost, dryRun, since, until, service, types, workflow },
}: {
  of: ReconcileRequest;
}) {
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
