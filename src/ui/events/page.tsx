import { useState } from 'preact/hooks';
import type { EventStatus } from '../../api/events.js';
import { Field } from '../parts/field.js';
import { LastUpdated, Shown } from '../parts/states.js';
import { usePoll } from '../shell/poll.js';
import { goTo, linkTo, route } from '../shell/route.js';
import { Feed } from './feed.js';
import { FindByResource } from './find-by-resource.js';
import { Story } from './story.js';

const EVERY_MS = 3000;

/** Shows the search for events and the app's last runs; or one event. */
export function EventsPage() {
  const { id } = route.value;
  if (id !== '') return <StoryOf key={id} id={id} />;
  return (
    <>
      <div class="columns">
        <FindById />
        <FindByResource />
      </div>
      <Feed />
    </>
  );
}

/** Shows all events with an id, because two senders can use the same id. */
function StoryOf({ id }: { id: string }) {
  const found = usePoll<{ events: EventStatus[] }>(`events?id=${encodeURIComponent(id)}`, EVERY_MS);
  return (
    <>
      <p>
        <a href={linkTo('events')}>All events</a>
      </p>
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

/** The form that leads to the page of an event by its id. */
function FindById() {
  const [id, setId] = useState('');
  const [problem, setProblem] = useState<string>();
  function submit(event: Event): void {
    event.preventDefault();
    if (id.trim() === '') setProblem('Enter the id of an event.');
    else goTo('events', { id: id.trim() });
  }
  return (
    <form class="card" onSubmit={submit}>
      <h2>Find by event id</h2>
      <Field
        label="Event id"
        value={id}
        onInput={setId}
        problem={problem}
        note="As Event Grid, the log or a dead letter shows it."
      />
      <button type="submit" class="primary">
        Find
      </button>
    </form>
  );
}
