import { request } from './request.js';
import { key, mayAct, session } from './session-state.js';

/** Finds out what the caller may do without a key: all on a developer's machine, and after a sign-in. */
export async function openSession(): Promise<void> {
  await probe();
}

/** Takes a key; returns undefined if the app accepts it, else why not. */
export async function useKey(entered: string): Promise<string | undefined> {
  const before = key.peek();
  key.value = entered.trim();
  const why = await probe();
  if (why !== undefined) key.value = before;
  return why;
}

/** Forgets the key. */
export function forgetKey(): void {
  key.value = '';
  mayAct.value = false;
  session.value = 'locked';
}

/** `access` wants the key of an administrator, `workflows` any key. */
async function probe(): Promise<string | undefined> {
  const access = await request('GET', 'access');
  if (access.ok) return open(true);
  const look = await request('GET', 'workflows');
  if (look.ok || (look.failure.kind !== 'locked' && look.failure.kind !== 'unreachable')) return open(false);
  session.value = 'locked';
  if (look.failure.kind === 'unreachable') return look.failure.message;
  return 'The app does not accept this key. Copy it again: in the Azure portal, App keys of the function app.';
}

function open(isAllowed: boolean): undefined {
  mayAct.value = isAllowed;
  session.value = 'open';
}
