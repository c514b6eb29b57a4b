import { endsWithin } from '../clock.js';
import type { App } from './compose.js';

/** The host kills the process 5 s after it has called appTerminate. */
const STOP_WITHIN_MS = 3900;
/** The maximum wait for the last heartbeat, which nothing depends on. */
const LAST_HEARTBEAT_MS = 500;

type Deps = Pick<App, 'clock' | 'pipeline' | 'telemetry' | 'instances'>;

/**
 * Ends the app. Telemetry is sent while jobs end; the few lines and numbers of the end itself are sent afterwards, in
 * the time that is left.
 */
export async function stopApp({ clock, pipeline, telemetry, instances }: Deps): Promise<void> {
  const untilMs = clock.monotonic() + STOP_WITHIN_MS;
  telemetry.flush();
  await pipeline.stop(); // within 3.4 s
  const leftMs = untilMs - clock.monotonic();
  const lastHeartbeat = endsWithin(instances.stop(), Math.min(LAST_HEARTBEAT_MS, leftMs), clock);
  await Promise.all([telemetry.stop(leftMs), lastHeartbeat]);
}
