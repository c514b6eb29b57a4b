import { signal } from '@preact/signals';

/** The function key, only in the memory of this tab: no cookie, no storage of the browser, no URL. */
export const key = signal('');

/**
 * `opening`: the page finds out what the caller may do. `locked`: the app wants a key, or another one. `open`: requests
 * are answered.
 */
export const session = signal<'opening' | 'locked' | 'open'>('opening');

/** Whether the caller may change something. The app decides; the page only leaves out what would be refused. */
export const mayAct = signal(false);

/** Takes note that the app has refused a request for lack of a key. */
export function lock(): void {
  mayAct.value = false;
  session.value = 'locked';
}
