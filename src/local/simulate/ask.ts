import { StartError } from '../host/start-error.js';

/** @throws StartError where nobody answers. */
export async function ask(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch {
    throw new StartError(`The app does not answer any more: ${new URL(url).origin}`);
  }
}

/** Why the app refused, in its own words where it has any. */
export async function reasonOf(response: Response): Promise<string> {
  const { error } = (await response.json().catch(() => ({}))) as { error?: { message?: string } };
  return error?.message ?? `the app answered ${response.status}`;
}
