import type { Clock, Random } from '../clock.js';
import { DEFAULT_PARTITION } from './dicom/image-store.js';
import { storeImage } from './dicom/store-image.js';
import { parseChanges } from './dicom/study-update.js';
import { writePart10 } from './dicom/write-part10.js';
import type { FhirService } from './fhir/fhir-service.js';
import type { World } from './scenarios/scenario.js';
import type { SwitchableServices } from './services.js';

/** These headers keep the resource out of the service's answer. */
const HEADERS = new Headers({ 'content-type': 'application/fhir+json', prefer: 'return=minimal' });

/** A FHIR resource of a service. */
export type ResourceName = { readonly host: string; readonly resourceType: string; readonly resourceId: string };

type WorldDeps = {
  readonly services: SwitchableServices;
  readonly random: Random;
  readonly clock: Clock;
  readonly left: () => number;
  readonly whenHardDeleted?: (resource: ResourceName) => void;
};

/** Returns a scenario's world, which changes `services`. Throws for a refused change: the scenario is wrong. */
export function createWorld(deps: WorldDeps): World {
  const { random, clock, left, services } = deps;
  let lastMs = 0;
  return {
    random,
    left,
    /** Returns a new time at each call. With an equal time, an update could change nothing and make no event. */
    now() {
      lastMs = Math.max(lastMs + 1, clock.now().getTime());
      return new Date(lastMs);
    },
    switchEvents: (isOn) => void Object.assign(services.makesEvents, { fhir: isOn, dicom: isOn }),
    ...fhirChanges(deps),
    ...dicomChanges(services.dicom),
  };
}

function fhirChanges({ services: { fhir }, whenHardDeleted = () => {} }: WorldDeps) {
  return {
    create(resource) {
      const { headers } = send(fhir, 'POST', { path: resource.resourceType, content: resource });
      return headers?.Location?.split('/').at(-3) ?? ''; // …/Patient/ID/_history/1
    },
    update: (resource) =>
      void send(fhir, 'PUT', { path: `${resource.resourceType}/${resource.id}`, content: resource }),
    remove: (resourceType, id) => void send(fhir, 'DELETE', { path: `${resourceType}/${id}` }),
    hardDelete(resourceType, id) {
      send(fhir, 'DELETE', { path: `${resourceType}/${id}`, query: '_hardDelete=true' });
      whenHardDeleted({ host: fhir.host, resourceType, resourceId: id });
    },
    transact(entries) {
      const entry = entries.map((one) => ({ ...one, request: { method: 'POST', url: one.resource.resourceType } }));
      send(fhir, 'POST', { path: '', content: { resourceType: 'Bundle', type: 'transaction', entry } });
    },
  } satisfies Partial<World>;
}

function dicomChanges({ images }: SwitchableServices['dicom']) {
  return {
    store(image) {
      const stored = storeImage(writePart10(image), { store: images, partition: DEFAULT_PARTITION });
      if (stored.status === 'refused') throw mistake(stored.problems);
      return stored.status === 'stored';
    },
    removeImages: (selector) => void images.remove(DEFAULT_PARTITION, selector),
    updateStudy(studyUid, values) {
      const { changes, problems } = parseChanges(values);
      if (problems.length > 0) throw mistake(problems);
      images.revise(DEFAULT_PARTITION, studyUid, changes);
    },
  } satisfies Partial<World>;
}

type Sent = { readonly path: string; readonly query?: string; readonly content?: object };

/** Sends a request as a client does. Throws if the service refuses it. */
function send(fhir: FhirService, method: string, { path, query, content }: Sent) {
  const body = Buffer.from(content ? JSON.stringify(content) : '');
  const request = { method, path, query: new URLSearchParams(query), headers: HEADERS, body };
  const answer = fhir.answer({ ...request, base: `https://${fhir.host}` });
  if (answer.status < 400) return answer;
  const { issue } = JSON.parse(String(answer.body)) as { issue: { diagnostics: string }[] };
  throw mistake([String(answer.status), ...issue.map(({ diagnostics }) => diagnostics)]);
}

function mistake(problems: readonly string[]): TypeError {
  return new TypeError(`The scenario made a change that was refused: ${problems.join(', ')}`);
}
