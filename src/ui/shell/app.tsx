import type { ComponentType } from 'preact';
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
import { route, TITLES } from './route.js';
import { session } from './session-state.js';
import { NoRole, SignIn, SignInEnded } from './who.js';

const PAGES: Readonly<Record<keyof typeof TITLES, ComponentType>> = {
  overview: OverviewPage,
  events: EventsPage,
  'dead-letters': DeadLettersPage,
  workflows: WorkflowsPage,
  reconciliation: ReconciliationPage,
  local: LocalPage,
};

/** The page: the header, the part that the URL names, and the form for a key where the app requires a key. */
export function App() {
  const { page, id } = route.value;
  const name = Object.hasOwn(PAGES, page) ? (page as keyof typeof PAGES) : 'overview';
  const Page = PAGES[name];
  const heading = useRef<HTMLHeadingElement>(null);
  const isFirst = useRef(true);
  useEffect(() => {
    document.title = `${TITLES[name]} · ahds-events`;
    if (!isFirst.current) heading.current?.focus();
    isFirst.current = false;
  }, [page, id]);
  return (
    <>
      <button type="button" class="skip" onClick={() => heading.current?.focus()}>
        Skip to content
      </button>
      <Header />
      <main id="main">
        <h1 ref={heading} tabIndex={-1}>
          {TITLES[name]}
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
