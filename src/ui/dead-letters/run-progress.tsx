import { counted, numberText } from '../parts/text.js';
import { linkTo } from '../shell/route.js';
import { currentRun } from './current-run.js';
import type { Progress } from './staged-redrive.js';

/** The result codes that a person should know, in words. */
const SKIPPED: Readonly<Record<string, string>> = {
  gone: 'were already handled by someone else',
  over: 'had nothing to redrive: their job has ended',
  'under-way': 'were under way already',
  'too-often': 'were refused: three redrives had no success. Find the cause, then redrive with force',
  'too-large': 'were refused: too large to run',
  unreadable: 'were refused: unreadable',
  'not-an-event': 'were refused: still not a valid event. Edit them',
  'taken-up': 'were imported: their events run as new deliveries',
  failed: 'were not requested: storage failed',
};

/** Shows the progress of this tab's staged redrive, and the button that stops it. */
export function RunProgress() {
  const run = currentRun.value;
  if (!run) return null;
  const { phase, total, requested, outcomes, counts, note, of, stop } = run;
  return (
    <section class={`box ${phase === 'stopped' ? 'amber' : phase === 'finished' ? 'green' : ''}`} aria-labelledby="run">
      <h2 id="run">{TITLES[phase]}</h2>
      <p class="quiet">{of}</p>
      <progress max={Math.max(total, 1)} value={requested} aria-label="Dead letters requested" />
      <p class="run-note">
        <strong>{numberText(requested)}</strong> of {counted(total, 'dead letter')} requested. {note}
      </p>
      <dl class="row">
        <Count name="resolved" value={outcomes.resolved} colour="green" />
        <Count name="failed again" value={outcomes.failedAgain} colour="red" />
        <Count name="waiting" value={outcomes.waiting} colour="quiet" />
      </dl>
      {phase === 'running' && outcomes.waiting > 0 && (
        <p class="quiet">
          A paused workflow, or an open circuit, lets jobs wait. <a href={linkTo('workflows')}>See the workflows</a>.
        </p>
      )}
      <Skipped counts={counts} />
      {phase === 'running' ? (
        <button type="button" onClick={stop}>
          Stop
        </button>
      ) : (
        <button type="button" onClick={close}>
          Close
        </button>
      )}
    </section>
  );
}

const TITLES = { running: 'Redriving', finished: 'Redrive finished', stopped: 'Redrive stopped' } as const;

function Count({ name, value, colour }: { name: string; value: number; colour: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class={`badge ${colour}`}>{numberText(value)}</dd>
    </div>
  );
}

/** Lists how many dead letters the app has skipped or refused, by reason. */
function Skipped({ counts }: Pick<Progress, 'counts'>) {
  const skipped = Object.entries(counts).filter(([code]) => SKIPPED[code]);
  if (skipped.length === 0) return null;
  return (
    <ul>
      {skipped.map(([code, count]) => (
        <li key={code}>
          {numberText(count)} {SKIPPED[code]}.
        </li>
      ))}
    </ul>
  );
}

function close(): void {
  currentRun.value = undefined;
}
