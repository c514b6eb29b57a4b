import type { ServiceName } from '../../clients/readers.js';
import { didYouMean, nearest } from '../../nearest.js';
import { unwantedTypes } from '../../reconcile/check-request.js';
import type { Workflow } from '../../workflow.js';
import { OptionError } from '../options.js';

/** Returns the services to compare: the one with this host, or all. @throws OptionError */
export function chooseServices(services: readonly ServiceName[], host: string | undefined): readonly ServiceName[] {
  if (host === undefined) return services;
  const chosen = services.filter((service) => service.host === host);
  if (chosen.length > 0) return chosen;
  const hosts = services.map((service) => service.host);
  throw new OptionError(
    `--service is '${host}', must be a host name in FHIR_HOSTS or DICOM_HOSTS: ${hosts.join(', ')}.` +
      didYouMean(nearest(host, hosts)),
  );
}

/** Returns the FHIR services to compare: the one with this host, or all. @throws OptionError */
export function chooseFhirServices(services: readonly ServiceName[], host: string | undefined): readonly ServiceName[] {
  const chosen = chooseServices(services, host).filter(({ service }) => service === 'fhir');
  if (chosen.length > 0) return chosen;
  throw new OptionError('--find-removed compares FHIR services only: the change feed of DICOM names every deletion.');
}

/** Returns the workflow with this name; undefined if no name is given. @throws OptionError */
export function chooseWorkflow(
  name: string | undefined,
  { workflows, off }: { workflows: readonly Workflow[]; off: readonly string[] },
): Workflow | undefined {
  const chosen = workflows.find((workflow) => workflow.name === name);
  if (name === undefined || chosen !== undefined) return chosen;
  if (off.includes(name))
    throw new OptionError(`--workflow is '${name}', which is off with these settings: its jobs would not run.`);
  const names = [...workflows.map((workflow) => workflow.name), ...off];
  throw new OptionError(
    `--workflow is '${name}', must be a workflow of the app: ${names.join(', ')}.${didYouMean(nearest(name, names))}`,
  );
}

/** Refuses a type that none of the workflows wants. @throws OptionError */
export function checkTypes(types: readonly string[] | undefined, workflows: readonly Workflow[]): void {
  const [unwanted] = unwantedTypes(types ?? [], workflows);
  if (unwanted)
    throw new OptionError(`--types has '${unwanted.type}', which no workflow wants.${didYouMean(unwanted.similar)}`);
  if (types?.length === 0) throw new OptionError('--types has no type: give names such as Patient,Observation.');
}
