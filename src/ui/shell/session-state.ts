import { computed, signal } from '@preact/signals';
import type { Access } from '../../api/access.js';

/** The function key, only in the memory of this tab: no cookie, no storage of the browser, no URL. */
export const key = signal('');

/** Who calls, as the app says. Undefined until it has said so, and for a key that only shows the page. */
export const access = signal<Access>();

/**
 * `opening`: the page finds out what the caller may do. `locked`: the app wants a key, or another one. `signed-out`: it
 * wants a sign-in. `no-role`: the caller has signed in, and may see nothing. `open`: requests are answered.
 */
export const session = signal<'opening' | 'locked' | 'signed-out' | 'no-role' | 'open'>('opening');

export const isSignedIn = computed(() => access.value?.caller.kind === 'signed-in');

/** Whether the caller may change something. The app decides; the page only leaves out what would be refused. */
export const mayAct = computed(() => session.value === 'open' && (access.value?.roles.includes('Operator') ?? false));

/** Whether the sign-in of an open page has ended, so that Azure refuses its requests. The page stays as it is. */
export const hasSignInEnded = signal(false);

/** Takes note that the app has refused a request for lack of a key. */
export function lock(): void {
  access.value = undefined;
  session.value = 'locked';
}
