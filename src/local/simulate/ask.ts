import { StartError } from '../host/start-error.js';

/** @throws StartError where no app answers. */
export async function ask(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch {
    throw new StartError(`The app does not answer any more: ${new URL(url).origin}`);
  }
}

/** Returns the app's reason for a refusal, or the status where the answer has none. */
export async function reasonOf(response: Response): Promise<string> {
  const { error } = (await response.json().catch(() => ({}))) as { error?: { message?: string } };
  return error?.message ?? `the app answered ${response.status}`;
}
