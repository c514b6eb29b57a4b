import { hasSimulator } from '../local/has-simulator.js';
import { Select } from '../parts/field.js';
import { linkTo, route } from './route.js';
import { forgetKey } from './session.js';
import { isSignedIn, key, mayAct, session } from './session-state.js';
import { type Theme, theme } from './theme.js';
import { SignedIn } from './who.js';

const THEMES = [
  ['system', 'System colours'],
  ['light', 'Light'],
  ['dark', 'Dark'],
] as const;

/** `pages`: the pages that the navigation lists, each with its title. */
export function Header({ pages }: { pages: Readonly<Record<string, { readonly title: string }>> }) {
  const links = Object.entries(pages).filter(([page]) => page !== 'local' || hasSimulator.value);
  return (
    <header class="top">
      <p class="brand">ahds-events</p>
      <nav aria-label="Pages">
        <ul>
          {links.map(([page, { title }]) => (
            <li key={page}>
              <a href={linkTo(page)} aria-current={route.value.page === page ? 'page' : undefined}>
                {title}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <div class="tools">
        {session.value === 'open' && !mayAct.value && <span class="badge">Read only</span>}
        <SignedIn />
        {session.value === 'open' && !isSignedIn.value && (key.value !== '' || !mayAct.value) && (
          <button type="button" class="plain" onClick={forgetKey}>
            {mayAct.value ? 'Forget key' : 'Use another key'}
          </button>
        )}
        <Select label="Colours" labelIs="hidden" value={theme.value} options={THEMES} onInput={choose} />
      </div>
    </header>
  );
}

function choose(value: string): void {
  theme.value = value as Theme;
}
