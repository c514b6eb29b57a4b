import { type Clock, sleep } from '../../clock.js';
import type { Problem } from '../../simulator/problems.js';
import type { RunStatus } from '../../simulator/runs/run.js';
import { StartError } from '../host/start-error.js';

const POLL_MS = 500;

/**
 * Shows the progress of a run until the run has ended, and returns its last status. Stops the run once `signal` aborts.
 * @throws StartError where the app does not answer, or no longer knows the run.
 */
export async function followRun(
  begun: RunStatus,
  deps: { runs: string; clock: Clock; signal: AbortSignal; show: (status: RunStatus) => void },
): Promise<RunStatus> {
  const { runs, clock, signal, show } = deps;
  let status = begun;
  while (status.endedAt === null) {
    show(status);
    await sleep(clock, POLL_MS, signal);
    const isStopping = signal.aborted; // if it aborts during the request, the next round stops the run
    const asked = await ask(`${runs}/${status.id}`, { method: isStopping ? 'DELETE' : 'GET' });
    if (!asked.ok) throw new StartError(`The run is gone: ${(await reasonOf(asked)).reason}`);
    status = (await asked.json()) as RunStatus;
    if (isStopping) break;
  }
  return status;
}

/** Returns the app's answer. @throws StartError where no app answers */
export async function ask(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch {
    throw new StartError(`The app does not answer any more: ${new URL(url).origin}`);
  }
}

/**
 * Returns the app's reason for a refusal, and each problem if the app lists them. Without a reason, names the status.
 */
export async function reasonOf(response: Response): Promise<{ reason: string; details?: Problem[] | undefined }> {
  type Body = { error?: { message?: string; details?: Problem[] } };
  const { error } = (await response.json().catch(() => ({}))) as Body;
  return { reason: error?.message ?? `the app answered ${response.status}`, details: error?.details };
}
