import { useState } from 'preact/hooks';
import type { RecentJob } from '../../api/overview.js';
import { Empty, LastUpdated, Shown } from '../parts/states.js';
import { Table } from '../parts/table.js';
import { durationText, numberText, Time } from '../parts/text.js';
import { usePoll } from '../shell/poll.js';
import { linkTo } from '../shell/route.js';
import { FeedFilter } from './feed-filter.js';

const EVERY_MS = 2000;
const OUTCOMES: Readonly<Record<RecentJob['outcome'], string>> = {
  completed: 'green',
  superseded: 'green',
  retried: 'amber',
  'dead-lettered': 'red',
};

/** Shows the app's last runs of jobs, the newest first. */
export function Feed() {
  const recent = usePoll<{ jobs: RecentJob[] }>('recent', EVERY_MS);
  const [held, setHeld] = useState<readonly RecentJob[]>();
  const [workflow, setWorkflow] = useState('');
  const [outcome, setOutcome] = useState('');
  return (
    <section aria-labelledby="feed">
      <h2 id="feed">What the app has just done</h2>
      <LastUpdated of={recent} />
      <Shown of={recent}>
        {({ jobs: live }) => {
          const jobs = held ?? live;
          const shown = jobs.filter((job) => isChosen(workflow, job.workflow) && isChosen(outcome, job.outcome));
          return (
            <>
              <div class="actions">
                <FeedFilter
                  label="Workflow"
                  all="all workflows"
                  values={jobs.map((job) => job.workflow)}
                  chosen={workflow}
                  onChoose={setWorkflow}
                />
                <FeedFilter
                  label="Outcome"
                  all="all outcomes"
                  values={Object.keys(OUTCOMES)}
                  chosen={outcome}
                  onChoose={setOutcome}
                />
                <button
                  type="button"
                  aria-pressed={held !== undefined}
                  onClick={() => setHeld(held ? undefined : live)}
                >
                  {held ? 'Go on' : 'Hold still'}
                </button>
                {held && <span class="badge amber">Held: newer runs are not shown</span>}
              </div>
              {shown.length > 0 ? (
                <FeedTable jobs={shown} />
              ) : (
                <Empty>No job has ended lately. Events appear here within seconds.</Empty>
              )}
            </>
          );
        }}
      </Shown>
    </section>
  );
}

function isChosen(chosen: string, value: string): boolean {
  return chosen === '' || chosen === value;
}

function FeedTable({ jobs }: { jobs: readonly RecentJob[] }) {
  return (
    <Table
      label="Runs of jobs that have ended, the newest first"
      columns={['When', 'Event', 'Workflow', 'Outcome', 'Try', 'Duration', 'Instance']}
    >
      {jobs.map((job) => (
        <FeedRow key={`${job.at} ${job.instance} ${job.eventId} ${job.workflow} ${job.try}`} job={job} />
      ))}
    </Table>
  );
}

function FeedRow({ job }: { job: RecentJob }) {
  const { at, instance, eventId, type, resourceType, workflow, outcome, durationMs, errorCode } = job;
  return (
    <tr>
      <td data-name="When">
        <Time at={at} isShort />
      </td>
      <th scope="row">
        {eventId ? (
          <a class="cut" href={linkTo('events', { id: eventId })}>
            {eventId}
          </a>
        ) : (
          'without an id'
        )}
        <span class="quiet cut">
          {type.replace('Microsoft.HealthcareApis.', '')} {resourceType}
        </span>
      </th>
      <td data-name="Workflow">{workflow}</td>
      <td data-name="Outcome">
        <span class={`badge ${OUTCOMES[outcome]}`}>{outcome}</span> {errorCode && <code>{errorCode}</code>}
      </td>
      <td data-name="Try">{numberText(job.try)}</td>
      <td data-name="Duration">{durationText(durationMs === null ? null : durationMs / 1000)}</td>
      <td data-name="Instance" class="quiet">
        {instance}
      </td>
    </tr>
  );
}
