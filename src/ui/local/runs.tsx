import { useState } from 'preact/hooks';
import { Field, Select } from '../parts/field.js';
import { Problems, useFailure } from '../parts/problems.js';
import { durationText, numberText } from '../parts/text.js';
import { usePoll } from '../shell/poll.js';
import { request } from '../shell/request.js';
import type { Run, SimulatedRuns, Verdict } from './simulator-state.js';

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

const PHASES: Readonly<Record<Run['phase'], string>> = {
  making: 'Making events',
  delivering: 'Event Grid delivers',
  redriving: 'Undelivered events are imported',
  reconciling: 'The app compares the services',
  checking: 'Comparing what was sent with what the app has done',
  done: 'Done',
  stopped: 'Stopped: there is no verdict',
  failed: 'Failed',
};
const ENDED: readonly Run['phase'][] = ['done', 'stopped', 'failed'];

/** Shows the progress of the last run, and its verdict. */
function RunResult({ run, onChange }: { run: Run; onChange: () => void }) {
  const { id, scenario, seed, phase, made, events, pending, verdict, error } = run;
  async function stop(): Promise<void> {
    await request('DELETE', `simulator/runs/${id}`);
    onChange();
  }
  return (
    <div class="box">
      <h3>
        {scenario}, seed {seed}
      </h3>
      <progress max={Math.max(events, 1)} value={made} aria-label="Events made" />
      <p>
        {PHASES[phase]}: {numberText(made)} of {numberText(events)} events made, {numberText(pending)} with Event Grid.
      </p>
      {error && <p class="problem">{error}</p>}
      {verdict && <VerdictOf verdict={verdict} />}
      {!ENDED.includes(phase) && (
        <button type="button" onClick={stop}>
          Stop
        </button>
      )}
    </div>
  );
}

function VerdictOf({ verdict: { ok, events, lagMs, problems } }: { verdict: Verdict }) {
  return (
    <>
      <p role="status">
        <span class={`badge ${ok ? 'green' : 'red'}`}>{ok ? 'Nothing is lost' : 'Not as it should be'}</span>{' '}
        {numberText(events.sent)} sent, {numberText(events.settled)} settled, {numberText(events.deadLettered)}{' '}
        dead-lettered, {numberText(events.rejected)} malformed, {numberText(events.lost)} lost.
        {lagMs && ` Lag: p50 ${durationText(lagMs.p50 / 1000)}, p99 ${durationText(lagMs.p99 / 1000)}.`}
      </p>
      <ul>
        {problems.map((problem) => (
          <li key={problem}>{problem}</li>
        ))}
      </ul>
    </>
  );
}
