import type { Overview } from '../../api/overview.js';
import { Select } from '../parts/field.js';
import { type Column, Table } from '../parts/table.js';
import { Ago } from '../parts/text.js';

type InstancesProps = {
  readonly instances: Overview['instances'];
  readonly chosen: string;
  /** Absent where only one instance is known. */
  readonly onChoose?: (id: string) => void;
};
const STATES = { running: 'green', stopped: 'quiet', silent: 'red' } as const;

const COLUMNS: readonly Column<Overview['instances'][number]>[] = [
  {
    name: 'Instance',
    kind: 'heading',
    cell: ({ id, isThis }) => (
      <>
        {id}
        {isThis && <span class="quiet"> (has answered)</span>}
      </>
    ),
  },
  { name: 'State', cell: ({ state }) => <span class={`badge ${STATES[state]}`}>{state}</span> },
  { name: 'Events a second', kind: 'number', cell: ({ eventsPerSecond }) => eventsPerSecond.toFixed(1) },
  { name: 'Started', cell: ({ startedAt }) => <Ago at={startedAt} /> },
  { name: 'Seen', cell: ({ seenAt }) => <Ago at={seenAt} /> },
];

/** Lists the processes of the app. A person selects one of them, or all together. */
export function Instances({ instances, chosen, onChoose }: InstancesProps) {
  return (
    <section aria-labelledby="instances">
      <h2 id="instances">Instances</h2>
      {onChoose && (
        <Select
          label="Numbers and curves above are of"
          labelIs="beside"
          value={chosen}
          options={[
            ['', 'all instances together'],
            ...instances.map(({ id, isThis }) => [id, isThis ? `${id} (has answered)` : id] as const),
          ]}
          onInput={onChoose}
        />
      )}
      <Table
        label="Instances that were seen in the last hour"
        columns={COLUMNS}
        rows={instances}
        keyOf={({ id }) => id}
      />
    </section>
  );
}
