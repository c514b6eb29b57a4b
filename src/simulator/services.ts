import type { Clock, Random } from '../clock.js';
import type { Publish, ServiceChange } from './changes.js';
import { DicomService } from './dicom/dicom-service.js';
import { FhirService } from './fhir/fhir-service.js';

export type ServiceKind = ServiceChange['service'];

/** A FHIR and a DICOM service under one name. */
export type Services = { readonly fhir: FhirService; readonly dicom: DicomService };

/** True if the changes of each service make events. Without events, histories and change feed still have the changes. */
export type MakesEvents = Record<ServiceKind, boolean>;

export type SwitchableServices = Services & { readonly makesEvents: MakesEvents };

export type ServicesDeps = {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Gets the changes that make events. */
  readonly publish: Publish;
  /** Gets the changes that make no events, because events are off. */
  readonly withhold?: Publish;
};

/** Returns empty services. Their events are on. */
export function createServices(deps: ServicesDeps): SwitchableServices {
  const { name, clock, random, publish, withhold = () => {} } = deps;
  const makesEvents: MakesEvents = { fhir: true, dicom: true };
  const depsOf = (kind: ServiceKind) => ({
    host: `simulator-${name}.${kind}.azurehealthcareapis.com`,
    clock,
    random,
    publish: (changes: readonly ServiceChange[]) => (makesEvents[kind] ? publish : withhold)(changes),
  });
  return { fhir: new FhirService(depsOf('fhir')), dicom: new DicomService(depsOf('dicom')), makesEvents };
}
