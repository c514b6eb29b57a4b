import type { Access } from '../../api/access.js';
import { request } from './request.js';
import { access, hasSignInEnded, key, lock, session } from './session-state.js';

/** Asks the app what the caller may do without a key, now and after each new sign-in. */
export async function openSession(): Promise<void> {
  await probe();
  let hadEnded = false;
  hasSignInEnded.subscribe((hasEnded) => {
    if (hadEnded && !hasEnded) void probe(); // another person may have signed in
    hadEnded = hasEnded;
  });
}

/** Sends requests with this key from now on, if the app accepts it. Returns undefined then, else the reason. */
export async function tryKey(entered: string): Promise<string | undefined> {
  const before = key.peek();
  key.value = entered.trim();
  const why = await probe();
  if (why !== undefined) key.value = before;
  return why;
}

export function forgetKey(): void {
  key.value = '';
  lock();
}

/** Tries `access`, which requires a sign-in or an administrator's key, then `workflows`, which accepts any key. */
async function probe(): Promise<string | undefined> {
  const asked = await request<Access>('GET', 'access');
  if (asked.ok) return open(asked.value);
  if (asked.failure.kind === 'signed-out') {
    if (session.peek() !== 'open') session.value = 'signed-out'; // an open page keeps what was entered
    return asked.failure.message;
  }
  const look = await request('GET', 'workflows');
  if (look.ok || (look.failure.kind !== 'locked' && look.failure.kind !== 'unreachable')) return open(undefined);
  session.value = 'locked';
  if (look.failure.kind === 'unreachable') return look.failure.message;
  return 'The app does not accept this key. Copy it again: in the Azure portal, App keys of the function app.';
}

function open(found: Access | undefined): undefined {
  access.value = found;
  const isWithoutRole = found?.caller.kind === 'signed-in' && !found.roles.includes('Reader');
  session.value = isWithoutRole ? 'no-role' : 'open';
}
