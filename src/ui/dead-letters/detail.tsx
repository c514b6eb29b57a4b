import { useState } from 'preact/hooks';
import type { ShownDeadLetter } from '../../api/dead-letters.js';
import { Shown } from '../parts/states.js';
import { counted, Fact, numberText, Time } from '../parts/text.js';
import { usePoll } from '../shell/poll.js';
import { linkTo } from '../shell/route.js';
import { DetailActions } from './detail-actions.js';

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

/** Shows the facts of a dead letter, without its payload. */
function Facts({ letter }: { letter: ShownDeadLetter }) {
  const { id, stage, reason, workflow, error, errorName, frame, type, resourceType, eventId, events } = letter;
  const { tries, crashes, redrives, firstTryAt, deadLetteredAt, discarded, edits, blob, note, holdsState } = letter;
  return (
    <dl class="facts">
      <Fact name="Error" value={[error, errorName].filter(Boolean).join(', ')} />
      <Fact name="Place in the code" value={frame} />
      <Fact name="Workflow" value={workflow} />
      <Fact name="Stage" value={stage === reason ? stage : `${stage}: ${reason}`} />
      <Fact name="Event" value={eventId && <a href={linkTo('events', { id: eventId })}>{eventId}</a>} />
      <Fact name="Type" value={[type, resourceType].filter(Boolean).join(' ')} />
      <Fact name="Events" value={events === 1 ? '' : numberText(events)} />
      <Fact name="Tries" value={tries === undefined ? '' : numberText(tries)} />
      <Fact name="Crashes" value={crashes === undefined ? '' : numberText(crashes)} />
      <Fact name="Redrives" value={numberText(redrives)} />
      <Fact name="First try" value={firstTryAt && <Time at={firstTryAt} />} />
      <Fact name="Dead-lettered" value={deadLetteredAt && <Time at={deadLetteredAt} />} />
      <Fact name="State" value={holdsState && 'The tables lack this version until it, or a newer one, has run.'} />
      <Fact
        name="Discarded"
        value={
          discarded && (
            <>
              by {discarded.by}, <Time at={discarded.at} />: {discarded.why}
            </>
          )
        }
      />
      <Fact name="Edited payloads" value={edits?.join(', ')} />
      <Fact name="Blob" value={blob} />
      <Fact name="Note" value={note} />
      <Fact name="Id" value={<code>{id}</code>} />
    </dl>
  );
}
