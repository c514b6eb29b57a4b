import { Fragment } from 'preact';
import type { EventStatus, JobStatus, Step } from '../../api/events.js';
import { Ago, counted, Fact, shortType, Time } from '../parts/text.js';
import { linkTo } from '../shell/route.js';

/** The app keeps this many first steps of a job, and the last ones. */
const FIRST_STEPS = 4;
const STATUSES: Readonly<Record<JobStatus['status'], readonly [text: string, colour: string]>> = {
  running: ['running', 'blue'],
  waiting: ['waiting', 'amber'],
  completed: ['completed', 'green'],
  superseded: ['superseded by a newer version', 'green'],
  'dead-lettered': ['dead-lettered', 'red'],
};
const STEPS: Readonly<Record<Step['what'], string>> = {
  claimed: 'Claimed: the handler runs',
  'taken-over': 'Taken over from a process that has ended',
  retry: 'The try failed',
  wait: 'Waits, without using up a try',
  completed: 'Completed',
  superseded: 'Superseded: a newer version of the resource has been handled',
  'dead-lettered': 'Dead-lettered',
  redriven: 'Redriven by a person',
};

/** Shows the steps of an event's jobs, workflow by workflow. */
export function Story({ event: { id, type, source, time, state, workflows } }: { event: EventStatus }) {
  return (
    <article class="card">
      <h2 class="cut">{shortType(type) || 'Event'}</h2>
      <dl class="facts">
        <Fact name="Event" value={<code>{id}</code>} />
        <Fact name="Source" value={source || '–'} />
        <Fact name="Changed at" value={time ? <Time at={time} /> : 'the event names no time'} />
        <Fact
          name="State"
          value={
            <span class={`badge ${state === 'open' ? 'amber' : 'green'}`}>
              {state === 'open' ? 'open: a job runs or waits' : 'settled: no job runs or waits'}
            </span>
          }
        />
      </dl>
      {Object.keys(workflows).length === 0 && <p>It is received, and its jobs have not begun.</p>}
      {Object.entries(workflows).map(([name, job]) => (
        <JobStory key={name} name={name} job={job} changedAt={time} />
      ))}
    </article>
  );
}

type JobStoryProps = { readonly name: string; readonly job: JobStatus; readonly changedAt: string | null };

function JobStory({ name, job, changedAt }: JobStoryProps) {
  const [text, colour] = STATUSES[job.status];
  return (
    <section>
      <h3>
        {name} <span class={`badge ${colour}`}>{text}</span>
      </h3>
      <Summary job={job} />
      <Timeline job={job} changedAt={changedAt} />
    </section>
  );
}

function Summary({ job: { tries, redrives, error, nextTryAt, deadLetter } }: Pick<JobStoryProps, 'job'>) {
  return (
    <p>
      {counted(tries, 'try', 'tries')}
      {redrives ? `, ${counted(redrives, 'redrive')}` : ''}
      {error && (
        <>
          , last error <code>{error}</code>
        </>
      )}
      {nextTryAt && (
        <>
          , runs <Ago at={nextTryAt} />
        </>
      )}
      . {deadLetter && <a href={linkTo('dead-letters', { id: deadLetter })}>See its dead letter</a>}
    </p>
  );
}

function Timeline({ job: { steps, stepsLeftOut = 0 }, changedAt }: Omit<JobStoryProps, 'name'>) {
  if (!steps) return <p class="quiet">An earlier version of the app has not kept its steps.</p>;
  return (
    <ol class="timeline">
      {changedAt && (
        <li>
          <Time at={changedAt} /> <span>The resource changed</span>
        </li>
      )}
      {steps.map((step, index) => (
        <Fragment key={`${step.at} ${step.what}`}>
          {index === FIRST_STEPS && stepsLeftOut > 0 && <li class="quiet">{counted(stepsLeftOut, 'step')} left out</li>}
          <StepLine step={step} />
        </Fragment>
      ))}
    </ol>
  );
}

function StepLine({ step: { at, what, code, until, deadLetter } }: { step: Step }) {
  const colour = what === 'completed' || what === 'superseded' ? 'green' : what === 'dead-lettered' ? 'red' : '';
  return (
    <li class={colour}>
      <Time at={at} />{' '}
      <span>
        {STEPS[what]}
        {code && (
          <>
            {': '}
            <code>{code}</code>
          </>
        )}
        {until && (
          <>
            , next at <Time at={until} isShort />
          </>
        )}
        {deadLetter && (
          <>
            : <a href={linkTo('dead-letters', { id: deadLetter })}>dead letter</a>
          </>
        )}
      </span>
    </li>
  );
}
