import { useState } from 'preact/hooks';
import { Field, Select } from '../parts/field.js';
import { Problems, useFailure } from '../parts/problems.js';
import { usePoll } from '../shell/poll.js';
import { request } from '../shell/request.js';
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
  const [failure, watched] = useFailure();
  const current = runs.value?.runs.toSorted((one, other) => other.startedAt.localeCompare(one.startedAt))[0];
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    await watched(request('POST', 'simulator/runs', { scenario, chaos, events: Number(events) }));
    runs.refresh();
  }
  return (
    <section class="card" aria-labelledby="runs">
      <h2 id="runs">Play a day</h2>
      <form class="fields" onSubmit={submit}>
        <Select
          label="Scenario"
          value={scenario}
          options={runs.value?.scenarios.map(({ name, summary }) => [name, `${name}: ${summary}`] as const) ?? []}
          onInput={setScenario}
        />
        <Select label="Chaos" value={chaos} options={Object.entries(CHAOS)} onInput={setChaos} />
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
