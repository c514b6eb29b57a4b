import { useState } from 'preact/hooks';
import type { EventStatus } from '../../api/events.js';
import { Fields, type NamedField } from '../parts/field.js';
import { Problems, useFailure } from '../parts/problems.js';
import { counted } from '../parts/text.js';
import { announce } from '../shell/announce.js';
import { request } from '../shell/request.js';
import { Story } from './story.js';

type Service = 'fhir' | 'dicom';
const HOST = { name: 'host', required: true } as const;
const SENT_IN_BODY = 'It is sent in the body of the request, never in a URL.';
/** The fields of the form, named as in the API. */
const FIELDS: Readonly<Record<Service, readonly NamedField<string>[]>> = {
  fhir: [
    { ...HOST, label: 'FHIR service', note: 'Its host name, such as clinic-main.fhir.azurehealthcareapis.com.' },
    { name: 'resourceType', label: 'Resource type', note: 'Such as Patient.', required: true },
    { name: 'resourceId', label: 'Resource id', note: SENT_IN_BODY, required: true },
    { name: 'version', label: 'Version (optional)', type: 'number' },
  ],
  dicom: [
    { ...HOST, label: 'DICOM service', note: 'Its host name, such as clinic-main.dicom.azurehealthcareapis.com.' },
    { name: 'studyUid', label: 'Study instance UID', required: true },
    { name: 'seriesUid', label: 'Series instance UID', required: true },
    { name: 'instanceUid', label: 'SOP instance UID', note: SENT_IN_BODY, required: true },
    { name: 'version', label: 'Sequence number (optional)', type: 'number' },
  ],
};

/** Finds the events of a resource or an image. The entered values stay in this form. */
export function FindByResource() {
  const [service, setService] = useState<Service>('fhir');
  const [entered, setEntered] = useState<Readonly<Record<string, string>>>({});
  const [found, setFound] = useState<readonly EventStatus[]>();
  const [failure, watched] = useFailure();
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const asked = request<{ events: EventStatus[] }>('POST', `changes/${service}`, bodyOf(service, entered));
    const result = await watched(asked);
    setFound(result.ok ? result.value.events : undefined);
    announce(result.ok ? `Found ${counted(result.value.events.length, 'event')}.` : result.failure.message);
  }
  return (
    <form class="card" onSubmit={submit}>
      <h2>Find by resource</h2>
      <fieldset>
        <legend>Service</legend>
        {(['fhir', 'dicom'] as const).map((name) => (
          <label key={name} class="check">
            <input type="radio" name="service" checked={service === name} onChange={() => setService(name)} />
            {name.toUpperCase()}
          </label>
        ))}
      </fieldset>
      <Fields
        fields={FIELDS[service]}
        entered={entered}
        onEnter={(name, value) => setEntered({ ...entered, [name]: value })}
      />
      <button type="submit" class="primary">
        Find
      </button>
      <Problems of={failure} />
      {found?.map((event) => (
        <Story key={event.id} event={event} />
      ))}
    </form>
  );
}

function bodyOf(service: Service, entered: Readonly<Record<string, string>>) {
  const named = FIELDS[service].map(({ name }) => [name, entered[name]?.trim()]);
  return { ...Object.fromEntries(named), version: entered.version ? Number(entered.version) : undefined };
}
