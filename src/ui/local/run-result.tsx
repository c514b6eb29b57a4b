import { durationText, numberText } from '../parts/text.js';
import { request } from '../shell/request.js';
import type { Run, Verdict } from './simulator-state.js';

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
export function RunResult({ run, onChange }: { run: Run; onChange: () => void }) {
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
