import type { Problem } from '../../simulator/problems.js';
import { StartError } from '../host/start-error.js';

/** @throws StartError where no app answers. */
export async function ask(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch {
    throw new StartError(`The app does not answer any more: ${new URL(url).origin}`);
  }
}

/** Returns the app's reason for a refusal, or the status where the answer has none, and what is wrong in detail. */
export async function reasonOf(response: Response): Promise<{ reason: string; details?: Problem[] | undefined }> {
  type Body = { error?: { message?: string; details?: Problem[] } };
  const { error } = (await response.json().catch(() => ({}))) as Body;
  return { reason: error?.message ?? `the app answered ${response.status}`, details: error?.details };
}
