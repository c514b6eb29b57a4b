import { linkTo, route } from '../shell/route.js';
import { Feed } from './feed.js';
import { FindById } from './find-by-id.js';
import { FindByResource } from './find-by-resource.js';
import { StoryOf } from './story-of.js';

/** Shows the search for events and the app's last runs; or one event. */
export function EventsPage() {
  const { id } = route.value;
  if (id !== '') {
    return (
      <>
        <p>
          <a href={linkTo('events')}>All events</a>
        </p>
        <StoryOf key={id} id={id} />
      </>
    );
  }
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
