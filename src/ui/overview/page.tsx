import { useState } from 'preact/hooks';
import type { Overview, OverviewWithoutStorage } from '../../api/overview.js';
import { LastUpdated, Shown } from '../parts/states.js';
import { type Polled, usePoll } from '../shell/poll.js';
import { Actions } from './actions.js';
import { Charts } from './charts.js';
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
