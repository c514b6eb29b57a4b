import type { HealthEvent } from '../events/health-event.js';

/** Returns a setting of the app by its name, in any letter case; undefined if the setting is absent or empty. */
export type Setting = (name: string) => string | undefined;

/**
 * Whether a workflow can run with these settings.
 *   on      the workflow runs
 *   off     the workflow does not run; a log line at the start gives the reason as one of its `codes`
 *   wrong   the app does not start; each problem reads `NAME is FOUND, must be EXPECTED`. FOUND is only logged
 */
export type Setup<C extends string = HostsAbsent> =
  | { kind: 'on' }
  | { kind: 'off'; code: C }
  | { kind: 'wrong'; problems: readonly string[] };

/** The code that `needsHosts` logs. Workflows need not declare this code. */
export type HostsAbsent = `${HealthEvent['service']}-hosts-absent`;

/** Returns a `setup` for workflows that read: off if the settings list no service to read, and none is simulated. */
export function needsHosts(service: HealthEvent['service']): (setting: Setting) => Setup {
  const hosts = service === 'fhir' ? 'FHIR_HOSTS' : 'DICOM_HOSTS';
  return (setting) =>
    setting(hosts) !== undefined || setting('SIMULATOR') === 'on'
      ? { kind: 'on' }
      : { kind: 'off', code: `${service}-hosts-absent` };
}
