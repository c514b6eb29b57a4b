import { useState } from 'preact/hooks';
import type { ShownDeadLetter } from '../../api/dead-letters.js';
import { Shown } from '../parts/states.js';
import { counted } from '../parts/text.js';
import { usePoll } from '../shell/poll.js';
import { linkTo } from '../shell/route.js';
import { DetailActions } from './detail-actions.js';
import { Facts } from './facts.js';

/** Shows one dead letter: its facts, its actions, and its payload after a click. */
export function DeadLetterDetail({ id }: { id: string }) {
  const [changes, setChanges] = useState(0);
  const letter = usePoll<ShownDeadLetter>(`dead-letters/${encodeURIComponent(id)}`, Number.POSITIVE_INFINITY);
  const reload = () => {
    letter.refresh();
    setChanges(changes + 1);
  };
  return (
    <>
      <p>
        <a href={linkTo('dead-letters')}>All dead letters</a>
      </p>
      <Shown of={letter}>
        {(value) => (
          <>
            <h2>
              {value.workflow || value.stage}: {value.reason}{' '}
              <span class={`badge ${value.isResolved ? 'green' : 'red'}`}>
                {value.isResolved ? 'resolved' : 'pending'}
              </span>
            </h2>
            <Facts letter={value} />
            <ProblemList letter={value} />
            <DetailActions letter={value} onChange={reload} />
          </>
        )}
      </Shown>
    </>
  );
}

/** Lists the problems of an event that the app cannot read. */
function ProblemList({ letter: { problems, causes } }: { letter: ShownDeadLetter }) {
  if (!problems && !causes) return null;
  return (
    <section aria-labelledby="wrong">
      <h3 id="wrong">What is wrong with it</h3>
      <ul>
        {problems?.map(({ path, code, message }) => (
          <li key={`${path} ${code}`}>{message}</li>
        ))}
        {causes?.map(({ events, problems: of }) => (
          <li key={JSON.stringify(of)}>
            {counted(events, 'event')}: {of.map(({ path, code }) => `${path} ${code}`).join(', ')}
          </li>
        ))}
      </ul>
    </section>
  );
}
