/** CPU time in ms of each part of an event's work, in the app's process and in the host on the same processor. */
export type CpuCosts = {
  /** For each POST. */
  readonly post: number;
  /** For each event, by its kind: its handlers, and the cost of its entities in requests. `other`: other FHIR resources. */
  readonly event: Readonly<Record<'Patient' | 'Observation' | 'image' | 'other', number>>;
  /** For each request to storage, and to the FHIR or DICOM service. */
  readonly storageRequest: number;
  readonly serviceRequest: number;
};

/** The cost of the real host for each event. The loads were measured in the embedded host, whose cost is in `post`. */
const HOST_MS = 0.15;

/**
 * Fitted to 32 loads of the app over Azurite: POSTs of 1, 10 and 100 events, 1 to 32 at a time, of Encounters, Observations
 * and Patients; then scaled to section (i) of the bench on a quiet machine. The costs of images, and of requests to
 * services, are not measured: they are those of Observations, and of requests to storage.
 */
const MEASURED: CpuCosts = {
  post: 0.27,
  event: { Patient: 0.46, Observation: 0.36, image: 0.36, other: 0.12 },
  storageRequest: 0.26,
  serviceRequest: 0.26,
};

/** Returns the costs on a processor that is `factor` times slower than the measured one. */
export function cpuCosts(factor: number): CpuCosts {
  const { post, event, storageRequest, serviceRequest } = MEASURED;
  const ofEvent = (ms: number) => (ms + HOST_MS) * factor;
  return {
    post: post * factor,
    event: {
      Patient: ofEvent(event.Patient),
      Observation: ofEvent(event.Observation),
      image: ofEvent(event.image),
      other: ofEvent(event.other),
    },
    storageRequest: storageRequest * factor,
    serviceRequest: serviceRequest * factor,
  };
}

/** Returns the cost of an event in the CloudEvents schema. */
export function costOfEvent(
  { event: costs }: CpuCosts,
  { subject, type }: { subject?: unknown; type?: unknown },
): number {
  if (String(type).includes('Dicom')) return costs.image;
  const [, resourceType] = String(subject).split('/');
  return resourceType === 'Patient' || resourceType === 'Observation' ? costs[resourceType] : costs.other;
}
