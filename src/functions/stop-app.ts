import type { App } from './compose.js';

/** The host kills the process 5 s after it has called appTerminate. */
const STOP_WITHIN_MS = 3900;

/**
 * Ends the app. Telemetry is sent while jobs end; the few lines and numbers of the end itself are sent afterwards, in
 * the time that is left.
 */
export async function stopApp({
  clock,
  pipeline,
  telemetry,
}: Pick<App, 'clock' | 'pipeline' | 'telemetry'>): Promise<void> {
  const untilMs = clock.monotonic() + STOP_WITHIN_MS;
  telemetry.flush();
  await pipeline.stop(); // within 3.4 s
  await telemetry.stop(untilMs - clock.monotonic());
}
