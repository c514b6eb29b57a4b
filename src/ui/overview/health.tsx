import type { Overview, OverviewProblem } from '../../api/overview.js';
import { Sentence } from '../parts/text.js';
import { linkTo } from '../shell/route.js';

const VERDICTS: Readonly<Record<Overview['level'], string>> = {
  green: 'All is well. Events are handled in time.',
  amber: 'The app works, but look at this today.',
  red: 'Events are late or lost without help.',
};
/** The page on which a person acts on each problem. */
const PLACES: Readonly<Partial<Record<OverviewProblem['code'], readonly [page: string, text: string]>>> = {
  'dead-letters': ['dead-letters', 'See the dead letters'],
  'circuit-open': ['workflows', 'See the workflows'],
  'workflow-paused': ['workflows', 'See the workflows'],
  'comparing-behind': ['reconciliation', 'See reconciliation'],
  'rows-overdue': ['workflows', 'See the workflows'],
  'lag-high': ['workflows', 'See the workflows'],
};

/** Shows the verdict as a word, a colour and a sentence, then each problem with the action to take. */
export function Health({ overview: { level, problems } }: { overview: Pick<Overview, 'level' | 'problems'> }) {
  return (
    <section class={`verdict ${level}`} aria-labelledby="verdict">
      <h2 id="verdict">
        <span class={`light ${level}`} aria-hidden="true" />
        {level[0]?.toUpperCase() + level.slice(1)}
      </h2>
      <p>{VERDICTS[level]}</p>
      {problems.length > 0 && (
        <ul class="problems">
          {problems.map((problem) => (
            <li key={`${problem.code} ${problem.workflow} ${problem.message}`} class={problem.level}>
              <Problem problem={problem} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Problem({ problem: { level, code, message } }: { problem: OverviewProblem }) {
  const [page, text] = PLACES[code] ?? [];
  const place =
    code === 'undelivered' ? linkTo('dead-letters', { query: { stage: 'undelivered' } }) : page && linkTo(page);
  return (
    <>
      <span class={`badge ${level}`}>{level === 'red' ? 'Now' : 'Today'}</span> <Sentence>{message}</Sentence>{' '}
      {place && <a href={place}>{text ?? 'See the undelivered events'}</a>}
    </>
  );
}
