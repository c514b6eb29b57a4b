import type { ShownDeadLetter } from '../../api/dead-letters.js';
import { Fact, numberText, Time } from '../parts/text.js';
import { linkTo } from '../shell/route.js';

/** Shows the facts of a dead letter, without its payload. */
export function Facts({ letter }: { letter: ShownDeadLetter }) {
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
