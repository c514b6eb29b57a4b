import { computed, signal } from '@preact/signals';
import type { Access } from '../../api/access.js';

/** The function key, only in the memory of this tab: no cookie, no storage of the browser, no URL. */
export const key = signal('');

/** The caller, as the app reports it. Undefined before that report, and for a key without any role. */
export const access = signal<Access>();

/**
 * `opening`: the page finds out what the caller may do. `locked`: the app requires a key, or another key. `signed-out`:
 * the app requires a sign-in. `no-role`: the caller has signed in, and may see nothing. `open`: requests are answered.
 */
export const session = signal<'opening' | 'locked' | 'signed-out' | 'no-role' | 'open'>('opening');

export const isSignedIn = computed(() => access.value?.caller.kind === 'signed-in');

/** True if the caller may change something. The app decides; the page only leaves out what the app would refuse. */
export const mayAct = computed(() => session.value === 'open' && (access.value?.roles.includes('Operator') ?? false));

/** True if the sign-in of an open page has ended, so that Azure refuses its requests. The page stays as it is. */
export const hasSignInEnded = signal(false);

/** Records that the app has refused a request for lack of a key. */
export function lock(): void {
  access.value = undefined;
  session.value = 'locked';
}
