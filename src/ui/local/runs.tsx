import { useState } from 'preact/hooks';
import { Field } from '../parts/field.js';
import { Problems } from '../parts/problems.js';
import { usePoll } from '../shell/poll.js';
import { type Failure, request } from '../shell/request.js';
import { RunResult } from './run-result.js';
import type { SimulatedRuns } from './simulator-state.js';

const EVERY_MS = 1000;
const CHAOS = {
  none: 'no chaos',
  light: 'light: duplicates and delays',
  rough: 'rough: also lost answers, malformed events, a receiver that fails',
  lossy: 'lossy: 5 % of the events are lost',
};

/** Plays a day of a clinic, and compares the sent events with the app's results. */
export function Runs() {
  const runs = usePoll<SimulatedRuns>('simulator/runs', EVERY_MS);
  const [scenario, setScenario] = useState('clinic-day');
  const [chaos, setChaos] = useState('rough');
  const [events, setEvents] = useState('500');
  const [failure, setFailure] = useState<Failure>();
  const current = runs.value?.runs.toSorted((one, other) => other.startedAt.localeCompare(one.startedAt))[0];
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const result = await request('POST', 'simulator/runs', { scenario, chaos, events: Number(events) });
    setFailure(result.ok ? undefined : result.failure);
    runs.refresh();
  }
  return (
    <section class="card" aria-labelledby="runs">
      <h2 id="runs">Play a day</h2>
      <form class="fields" onSubmit={submit}>
        <div class="field">
          <label for="scenario">Scenario</label>
          <select id="scenario" value={scenario} onChange={(event) => setScenario(event.currentTarget.value)}>
            {runs.value?.scenarios.map(({ name, summary }) => (
              <option key={name} value={name}>
                {name}: {summary}
              </option>
            ))}
          </select>
        </div>
        <div class="field">
          <label for="chaos">Chaos</label>
          <select id="chaos" value={chaos} onChange={(event) => setChaos(event.currentTarget.value)}>
            {Object.entries(CHAOS).map(([name, text]) => (
              <option key={name} value={name}>
                {text}
              </option>
            ))}
          </select>
        </div>
        <Field label="Events" type="number" value={events} onInput={setEvents} />
        <div class="actions">
          <button type="submit" class="primary">
            Play
          </button>
        </div>
      </form>
      <Problems of={failure} />
      {current && <RunResult run={current} onChange={runs.refresh} />}
    </section>
  );
}
