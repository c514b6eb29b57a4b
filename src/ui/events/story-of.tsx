import type { EventStatus } from '../../api/events.js';
import { LastUpdated, Shown } from '../parts/states.js';
import { usePoll } from '../shell/poll.js';
import { linkTo } from '../shell/route.js';
import { Story } from './story.js';

const EVERY_MS = 3000;

/** Shows all events with an id, because two senders can use the same id. */
export function StoryOf({ id }: { id: string }) {
  const found = usePoll<{ events: EventStatus[] }>(`events?id=${encodeURIComponent(id)}`, EVERY_MS);
  return (
    <>
      <LastUpdated of={found} />
      <Shown of={found}>
        {({ events }) =>
          events.map((event) => <Story key={`${event.id} ${event.type} ${event.source} ${event.time}`} event={event} />)
        }
      </Shown>
      {found.failure?.kind === 'not-found' && (
        <p>
          Is it an invalid event?{' '}
          <a href={linkTo('dead-letters', { query: { stage: 'invalid' } })}>See invalid events</a>. Has Event Grid given
          up on it? <a href={linkTo('dead-letters', { query: { stage: 'undelivered' } })}>See undelivered events</a>.
        </p>
      )}
    </>
  );
}
