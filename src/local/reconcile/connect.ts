import { systemClock as clock } from '../../clock.js';
import { type Config, ConfigError } from '../../config.js';
import type { Env } from '../../config-reader.js';
import { composeApp } from '../../functions/compose.js';
import { systemRandom } from '../../functions/random.js';
import { readSettings } from '../../functions/read-settings.js';
import { servicesOf } from '../../functions/reconcile-deps.js';
import { withLocalSettings } from '../local-settings.js';
import { withLookupKey } from '../lookup-key.js';
import { accountOf, OptionError, type Values } from '../options.js';
import { readWithStorage } from '../provide-storage.js';

/** The stores and readers of the app, of which no part runs. `close` ends an Azurite that no other process uses. */
export type Connected = Awaited<ReturnType<typeof connect>>;

/** A person waits, maybe on a slow connection. */
const STORAGE_TRY_MS = 30_000;
const CONNECTION = /^(EventStorage|AzureWebJobsStorage|WorkflowStorage|UndeliveredStorage)(__|$)/i;
const SIMULATED = 'simulator-main';

/**
 * Connects to the storage that the options name, or to that of `npm start`.
 * @throws ConfigError, StartError or OptionError that says what to set
 */
export async function connect(values: Values) {
  const { workflows } = await import('../../workflows/index.js');
  const account = accountOf(values, 'account');
  const workflowAccount = accountOf(values, 'workflow-account');
  if (workflowAccount !== undefined && account === undefined)
    throw new OptionError('--workflow-account is for an app in Azure: name its storage account in --account too.');
  const appRoot = process.cwd();
  const local = withLookupKey(appRoot, withLocalSettings(appRoot, process.env)); // as npm start, else workflows are off
  const given = withSimulatedServices(account === undefined ? local : accountEnv({ account, workflowAccount }, local));
  const { config, on, off, azurite } = await readWithStorage(given, {
    read(env) {
      const settings = readSettings(workflows, env);
      refuseNoService(settings.config);
      return settings;
    },
    appRoot,
    clock,
    isRemote: account !== undefined,
  });
  const parts = { workflows: on, clock, random: systemRandom, telemetryWrite: () => {}, storageTryMs: STORAGE_TRY_MS };
  return {
    app: composeApp(config, parts),
    /** The names of workflows that are off with these settings. */
    off: off.map(({ name }) => name),
    close: async () => azurite?.release(),
  };
}

/** Returns the local settings with the accounts of an app in Azure, without local storage and without the simulator. */
export function accountEnv(of: { account: string; workflowAccount?: string | undefined }, local: Env): Env {
  const rest = Object.entries(local).filter(([name]) => !CONNECTION.test(name));
  const accounts = { EventStorage__accountName: of.account, WorkflowStorage__accountName: of.workflowAccount };
  return { ...Object.fromEntries(rest), SIMULATOR: 'off', ...accounts };
}

/** Returns `env` with the addresses of the simulated services, which `npm start` serves, unless `env` names services. */
export function withSimulatedServices(env: Env): Env {
  if (env.SIMULATOR !== 'on' || env.FHIR_HOSTS || env.DICOM_HOSTS) return env;
  const url = `http://127.0.0.1:${env.PORT || '7071'}/api/simulator`;
  const host = (service: string) => `${SIMULATED}.${service}.azurehealthcareapis.com ${url}/${service}`;
  return { ...env, FHIR_HOSTS: host('fhir'), DICOM_HOSTS: host('dicom') };
}

function refuseNoService(config: Config): void {
  if (servicesOf(config).length > 0) return;
  throw new ConfigError(['FHIR_HOSTS and DICOM_HOSTS are absent, so there is no service to compare: set one of them']);
}
