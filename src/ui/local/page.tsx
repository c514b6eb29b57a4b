import { Shown } from '../parts/states.js';
import { usePoll } from '../shell/poll.js';
import { Changes } from './changes.js';
import { hasSimulator } from './has-simulator.js';
import { Runs } from './runs.js';
import type { SimulatorState } from './simulator-state.js';
import { Switches } from './switches.js';

const EVERY_MS = 2000;

/** Shows the controls of the simulator, only on a developer's machine. */
export function LocalPage() {
  const simulator = usePoll<SimulatorState>(hasSimulator.value ? 'simulator' : undefined, EVERY_MS);
  if (!hasSimulator.value)
    return <p class="empty">This app has no simulator. It runs with npm start on a developer's machine.</p>;
  return (
    <Shown of={simulator}>
      {(state) => (
        <>
          <p>
            Simulated FHIR and DICOM services, and a simulated Event Grid, in the memory of this app. No real patient.
          </p>
          <div class="columns">
            <Changes />
            <Switches state={state} onChange={simulator.refresh} />
          </div>
          <Runs />
        </>
      )}
    </Shown>
  );
}
