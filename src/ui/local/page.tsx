import { Problems, useFailure } from '../parts/problems.js';
import { Shown } from '../parts/states.js';
import { announce } from '../shell/announce.js';
import { usePoll } from '../shell/poll.js';
import { request } from '../shell/request.js';
import { Changes } from './changes.js';
import { hasSimulator } from './has-simulator.js';
import { Runs } from './runs.js';
import type { SimulatorState } from './simulator-state.js';

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

type SwitchesProps = { readonly state: SimulatorState; readonly onChange: () => void };

/** The receiver is down all the time, except in its first second. */
const DOWN = { chaos: { downMs: 1000, downEveryMs: 1000 } };
const UP = { chaos: 'none' };

/** Turns the receiver and the events off and on. */
function Switches({ state, onChange }: SwitchesProps) {
  const [failure, watched] = useFailure();
  const { downMs, downEveryMs } = state.settings.chaos;
  const isDown = downMs >= downEveryMs;
  const main = state.services.main;
  const areOn = main ? main.fhir.events && main.dicom.events : true;
  async function change(body: unknown, text: string): Promise<void> {
    const result = await watched(request('PATCH', 'simulator', body));
    if (result.ok) announce(text);
    onChange();
  }
  const switchEvents = () =>
    change(
      { services: { main: { fhir: { events: !areOn }, dicom: { events: !areOn } } } },
      areOn ? 'Events are off.' : 'Events are on.',
    );
  return (
    <section class="card" aria-labelledby="switches">
      <h2 id="switches">Break something</h2>
      <p>
        Receiver: <span class={`badge ${isDown ? 'red' : 'green'}`}>{isDown ? 'down' : 'up'}</span>{' '}
        <button
          type="button"
          onClick={() => change(isDown ? UP : DOWN, isDown ? 'The receiver is up.' : 'The receiver is down.')}
        >
          {isDown ? 'Bring the receiver up' : 'Take the receiver down'}
        </button>
      </p>
      <p class="quiet">While it is down, Event Grid tries again by its schedule: after 10 s, 30 s, 1 min and so on.</p>
      <p>
        Events: <span class={`badge ${areOn ? 'green' : 'red'}`}>{areOn ? 'on' : 'off'}</span>{' '}
        <button type="button" onClick={switchEvents}>
          {areOn ? 'Turn events off' : 'Turn events on'}
        </button>
      </p>
      <p class="quiet">Changes while events are off make no event. Reconciliation finds them.</p>
      <Problems of={failure} />
    </section>
  );
}
