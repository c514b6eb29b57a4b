import { effect, signal } from '@preact/signals';
import { request } from '../shell/request.js';
import { mayAct, session } from '../shell/session-state.js';

/** True if the simulator runs in this app, which happens only on a developer's machine. */
export const hasSimulator = signal(false);

effect(() => {
  if (session.value !== 'open' || !mayAct.value) return;
  void request('GET', 'simulator').then(({ ok }) => {
    hasSimulator.value = ok;
  });
});
