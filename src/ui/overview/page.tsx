import { useState } from 'preact/hooks';
import type { Minutes, Overview, OverviewWithoutStorage } from '../../api/overview.js';
import { Chart } from '../parts/chart.js';
import { LastUpdated, Shown } from '../parts/states.js';
import { durationText, numberText } from '../parts/text.js';
import { type Polled, usePoll } from '../shell/poll.js';
import { Actions } from './actions.js';
import { Counts } from './counts.js';
import { Health } from './health.js';
import { Instances } from './instances.js';

const EVERY_MS = 5000;

/** Shows whether all is well, and the numbers of the last hour: of all instances together, or of one. */
export function OverviewPage() {
  const overview = usePoll<Overview>('overview', EVERY_MS);
  const [chosen, setChosen] = useState('');
  const partial = withoutStorage(overview);
  return (
    <>
      <LastUpdated of={overview} />
      {partial && (
        <>
          <Health overview={partial} />
          <Charts minutes={partial.minutes} />
          <Instances instances={partial.instances} chosen="" />
        </>
      )}
      <Shown of={overview}>
        {(value) => {
          const one = value.instances.find(({ id }) => id === chosen);
          return (
            <>
              <Health overview={value} />
              <Counts overview={value} of={one ?? value} />
              <Charts minutes={(one ?? value).minutes} />
              <Instances instances={value.instances} chosen={one?.id ?? ''} onChoose={setChosen} />
              <Actions />
            </>
          );
        }}
      </Shown>
    </>
  );
}

/** Returns the answering instance's data while storage fails, unless older data of all instances is there. */
function withoutStorage({ value, failure }: Polled<Overview>): OverviewWithoutStorage | undefined {
  const answer = value === undefined && failure?.kind === 'storage' ? failure.answer : undefined;
  return Object(answer).minutes === undefined ? undefined : (answer as OverviewWithoutStorage);
}

/** The lags that the service promises for its events: 1 s in the mean, 5 s for 99.99 %. */
const LIMITS = [
  { value: 1, label: '1 s' },
  { value: 5, label: '5 s' },
];

/** Shows the last hour by minute. */
function Charts({ minutes }: { minutes: Minutes }) {
  const { at, events, completed, deadLettered, retried, lagP50, lagP99 } = minutes;
  return (
    <section aria-labelledby="hour" class="charts">
      <h2 id="hour">The last hour</h2>
      <Chart
        title="Lag from event to outcome"
        summary={lagText(lagP99)}
        at={at}
        series={[
          { label: 'p50', values: lagP50, colour: 'blue' },
          { label: 'p99', values: lagP99, colour: 'orange' },
        ]}
        limits={LIMITS}
        textOf={durationText}
      />
      <Chart
        title="Events and outcomes a minute"
        summary={eventsText(events)}
        at={at}
        series={[
          { label: 'events', values: events, colour: 'blue' },
          { label: 'completed', values: completed, colour: 'green' },
          { label: 'retried', values: retried, colour: 'orange' },
          { label: 'dead-lettered', values: deadLettered, colour: 'red' },
        ]}
        textOf={numberText}
      />
    </section>
  );
}

function lagText(lagP99: Minutes['lagP99']): string {
  const worst = Math.max(0, ...lagP99.filter((lag) => lag !== null));
  if (worst === 0) return 'Nothing has settled in the last hour.';
  return `The worst minute had a p99 of ${durationText(worst)}; the service promises 1 s in the mean, and 5 s for 99.99 %.`;
}

function eventsText(events: Minutes['events']): string {
  const most = Math.max(0, ...events);
  return most === 0
    ? 'No event has arrived in the last hour.'
    : `The busiest minute brought ${numberText(most)} events.`;
}
