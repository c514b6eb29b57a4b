import type { Overview } from '../../api/overview.js';
import { Table } from '../parts/table.js';
import { Ago } from '../parts/text.js';

type InstancesProps = {
  readonly instances: Overview['instances'];
  readonly chosen: string;
  /** Absent where only one instance is known. */
  readonly onChoose?: (id: string) => void;
};
const STATES = { running: 'green', stopped: 'quiet', silent: 'red' } as const;

/** Lists the processes of the app. A person selects one of them, or all together. */
export function Instances({ instances, chosen, onChoose }: InstancesProps) {
  return (
    <section aria-labelledby="instances">
      <h2 id="instances">Instances</h2>
      {onChoose && (
        <label>
          Numbers and curves above are of{' '}
          <select value={chosen} onChange={(event) => onChoose(event.currentTarget.value)}>
            <option value="">all instances together</option>
            {instances.map(({ id, isThis }) => (
              <option key={id} value={id}>
                {id}
                {isThis ? ' (has answered)' : ''}
              </option>
            ))}
          </select>
        </label>
      )}
      <Table
        label="Instances that were seen in the last hour"
        columns={['Instance', 'State', 'Events a second', 'Started', 'Seen']}
        numbers={['Events a second']}
      >
        {instances.map(({ id, state, isThis, eventsPerSecond, startedAt, seenAt }) => (
          <tr key={id}>
            <th scope="row">
              {id}
              {isThis && <span class="quiet"> (has answered)</span>}
            </th>
            <td data-name="State">
              <span class={`badge ${STATES[state]}`}>{state}</span>
            </td>
            <td class="number" data-name="Events a second">
              {eventsPerSecond.toFixed(1)}
            </td>
            <td data-name="Started">
              <Ago at={startedAt} />
            </td>
            <td data-name="Seen">
              <Ago at={seenAt} />
            </td>
          </tr>
        ))}
      </Table>
    </section>
  );
}
