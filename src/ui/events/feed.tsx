import { useState } from 'preact/hooks';
import type { RecentJob } from '../../api/overview.js';
import { Select } from '../parts/field.js';
import { LastUpdated, Shown } from '../parts/states.js';
import { type Column, Table } from '../parts/table.js';
import { durationText, EventName, numberText, Time } from '../parts/text.js';
import { usePoll } from '../shell/poll.js';
import { linkTo } from '../shell/route.js';

const EVERY_MS = 2000;
const OUTCOMES: Readonly<Record<RecentJob['outcome'], string>> = {
  completed: 'green',
  superseded: 'green',
  retried: 'amber',
  'dead-lettered': 'red',
};
const COLUMNS: readonly Column<RecentJob>[] = [
  { name: 'When', cell: ({ at }) => <Time at={at} isShort /> },
  {
    name: 'Event',
    kind: 'heading',
    cell: (job) => (
      <EventName event={job} href={job.eventId && linkTo('events', { id: job.eventId })}>
        {job.eventId || 'without an id'}
      </EventName>
    ),
  },
  { name: 'Workflow', cell: ({ workflow }) => workflow },
  {
    name: 'Outcome',
    cell: ({ outcome, errorCode }) => (
      <>
        <span class={`badge ${OUTCOMES[outcome]}`}>{outcome}</span> {errorCode && <code>{errorCode}</code>}
      </>
    ),
  },
  { name: 'Try', cell: (job) => numberText(job.try) },
  { name: 'Duration', cell: ({ durationMs }) => durationText(durationMs === null ? null : durationMs / 1000) },
  { name: 'Instance', kind: 'quiet', cell: ({ instance }) => instance },
];

/** Shows the app's last runs of jobs, the newest first. */
export function Feed() {
  const recent = usePoll<{ jobs: RecentJob[] }>('recent', EVERY_MS);
  return (
    <section aria-labelledby="feed">
      <h2 id="feed">What the app has just done</h2>
      <LastUpdated of={recent} />
      <Shown of={recent}>{({ jobs }) => <Runs newest={jobs} />}</Shown>
    </section>
  );
}

/** Shows the runs that match a person's choice. While the person holds the list, newer runs do not appear. */
function Runs({ newest }: { newest: readonly RecentJob[] }) {
  const [held, setHeld] = useState<readonly RecentJob[]>();
  const [workflow, setWorkflow] = useState('');
  const [outcome, setOutcome] = useState('');
  const jobs = held ?? newest;
  const isChosen = (job: RecentJob) =>
    (workflow === '' || workflow === job.workflow) && (outcome === '' || outcome === job.outcome);
  return (
    <>
      <div class="actions">
        <Filter label="Workflow" values={jobs.map((job) => job.workflow)} chosen={workflow} onChoose={setWorkflow} />
        <Filter label="Outcome" values={Object.keys(OUTCOMES)} chosen={outcome} onChoose={setOutcome} />
        <button type="button" aria-pressed={held !== undefined} onClick={() => setHeld(held ? undefined : newest)}>
          {held ? 'Go on' : 'Hold still'}
        </button>
        {held && <span class="badge amber">Held: newer runs are not shown</span>}
      </div>
      <Table
        label="Runs of jobs that have ended, the newest first"
        columns={COLUMNS}
        rows={jobs.filter(isChosen)}
        keyOf={(job) => `${job.at} ${job.instance} ${job.eventId} ${job.workflow} ${job.try}`}
        empty="No job has ended lately. Events appear here within seconds."
      />
    </>
  );
}

type FilterProps = {
  readonly label: string;
  readonly values: readonly string[];
  readonly chosen: string;
  readonly onChoose: (value: string) => void;
};

/** Lets a person choose one of the values seen so far, or all values. */
function Filter({ label, values, chosen, onChoose }: FilterProps) {
  const known = [...new Set([...values, chosen])].filter((value) => value !== '').sort();
  const all = ['', `all ${label.toLowerCase()}s`] as const;
  return (
    <Select
      label={label}
      labelIs="hidden"
      value={chosen}
      options={[all, ...known.map((value) => [value, value] as const)]}
      onInput={onChoose}
    />
  );
}
