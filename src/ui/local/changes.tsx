import { useState } from 'preact/hooks';
import sampleImage from '../../../docs/sample-image.dcm';
import { Problems, useFailure } from '../parts/problems.js';
import { shortType, Time } from '../parts/text.js';
import { announce } from '../shell/announce.js';
import { usePoll } from '../shell/poll.js';
import { type Result, send } from '../shell/request.js';
import { linkTo } from '../shell/route.js';
import type { SimulatedEvents } from './simulator-state.js';

type Patient = { readonly resourceType: 'Patient'; readonly id: string };
type Bundle = { readonly entry: readonly { readonly resource: Patient }[] };

const EVERY_MS = 2000;
const MAX_SHOWN = 5;
let changes = 0;
const NAMES = ['Nguyen', 'Okafor', 'Silva', 'Haddad', 'Kowalska', 'Tanaka'];

/** Changes resources of the simulated services, and shows the events of these changes. */
export function Changes() {
  const events = usePoll<SimulatedEvents>('simulator/events', EVERY_MS);
  const [patient, setPatient] = useState<Patient>();
  const [failure, watched] = useFailure();
  async function run<T>(what: string, change: Promise<Result<T>>): Promise<T | undefined> {
    const result = await watched(change);
    if (!result.ok) return undefined;
    announce(`${what}.`);
    events.refresh();
    return result.value;
  }
  const create = async () =>
    setPatient((await run('The Patient is created', putPatient()))?.entry[0]?.resource ?? patient);
  return (
    <section class="card" aria-labelledby="changes">
      <h2 id="changes">Change something</h2>
      <div class="actions">
        <button type="button" class="primary" onClick={create}>
          Create a Patient
        </button>
        <button type="button" disabled={!patient} onClick={() => run('The Patient is changed', putPatient(patient))}>
          Change that Patient
        </button>
        <button type="button" onClick={() => run('The image is sent', sendImage())}>
          Send an image
        </button>
      </div>
      <Problems of={failure} />
      <h3>The last events</h3>
      <ul class="plain-list">
        {events.value?.events.slice(0, MAX_SHOWN).map(({ id, type, time }) => (
          <li key={id}>
            <Time at={time} isShort /> {shortType(type)} <a href={linkTo('events', { id })}>See its story</a>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Creates a Patient, or changes one. The id of the resource is in the body, because URLs end up in logs. */
function putPatient(patient?: Patient): Promise<Result<Bundle>> {
  changes += 1; // another name each time: a change to the same makes no event
  const family = NAMES[changes % NAMES.length];
  const resource = { ...patient, resourceType: 'Patient', name: [{ family }] };
  const to = patient ? { method: 'PUT', url: `Patient/${patient.id}` } : { method: 'POST', url: 'Patient' };
  const bundle = { resourceType: 'Bundle', type: 'transaction', entry: [{ resource, request: to }] };
  return send('simulator/fhir', {
    method: 'POST',
    headers: { 'content-type': 'application/fhir+json' },
    body: JSON.stringify(bundle),
  });
}

/** Sends the image that ships with the project. After the first time, the service already has the image. */
async function sendImage(): Promise<Result<unknown>> {
  const body = await fetch(`/api/ui/${sampleImage.replace('./', '')}`).then((response) => response.arrayBuffer());
  const sent = await send('simulator/dicom/v2/studies', {
    method: 'POST',
    headers: { 'content-type': 'application/dicom', accept: 'application/dicom+json' },
    body,
  });
  if (sent.ok || sent.failure.kind !== 'refused') return sent;
  return {
    ok: false,
    failure: { ...sent.failure, message: 'The service has this image already: it was sent before.' },
  };
}
