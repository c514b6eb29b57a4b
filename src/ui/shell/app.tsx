import { useEffect, useRef } from 'preact/hooks';
import { DeadLettersPage } from '../dead-letters/page.js';
import { EventsPage } from '../events/page.js';
import { LocalPage } from '../local/page.js';
import { OverviewPage } from '../overview/page.js';
import { ReconciliationPage } from '../reconciliation/page.js';
import { WorkflowsPage } from '../workflows/page.js';
import { Announcer } from './announce.js';
import { Header } from './header.js';
import { KeyForm } from './key-form.js';
import { route } from './route.js';
import { session } from './session-state.js';
import { NoRole, SignIn, SignInEnded } from './who.js';

/** The pages, in the order of the navigation. */
const PAGES = {
  overview: { title: 'Overview', Page: OverviewPage },
  events: { title: 'Events', Page: EventsPage },
  'dead-letters': { title: 'Dead letters', Page: DeadLettersPage },
  workflows: { title: 'Workflows', Page: WorkflowsPage },
  reconciliation: { title: 'Reconciliation', Page: ReconciliationPage },
  local: { title: 'Simulator', Page: LocalPage },
};

/** The page: the header, the part that the URL names, and the form for a key where the app requires a key. */
export function App() {
  const { page, id } = route.value;
  const { title, Page } = PAGES[Object.hasOwn(PAGES, page) ? (page as keyof typeof PAGES) : 'overview'];
  const heading = useRef<HTMLHeadingElement>(null);
  const isFirst = useRef(true);
  useEffect(() => {
    document.title = `${title} · ahds-events`;
    if (!isFirst.current) heading.current?.focus();
    isFirst.current = false;
  }, [page, id]);
  return (
    <>
      <button type="button" class="skip" onClick={() => heading.current?.focus()}>
        Skip to content
      </button>
      <Header pages={PAGES} />
      <main id="main">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        <SignInEnded />
        {session.value === 'locked' && <KeyForm />}
        {session.value === 'signed-out' && <SignIn />}
        {session.value === 'no-role' && <NoRole />}
        {session.value === 'opening' && <p class="quiet">Asking the app what you may see …</p>}
        {session.value === 'open' && <Page />}
      </main>
      <Announcer />
    </>
  );
}
