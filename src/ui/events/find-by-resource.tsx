import { useState } from 'preact/hooks';
import type { EventStatus } from '../../api/events.js';
import { Field } from '../parts/field.js';
import { Problems, useFailure } from '../parts/problems.js';
import { counted } from '../parts/text.js';
import { announce } from '../shell/announce.js';
import { request } from '../shell/request.js';
import { Story } from './story.js';

type Service = 'fhir' | 'dicom';
type Question = readonly [name: string, label: string, note: string];

const QUESTIONS: Readonly<Record<Service, readonly Question[]>> = {
  fhir: [
    ['host', 'FHIR service', 'Its host name, such as clinic-main.fhir.azurehealthcareapis.com.'],
    ['resourceType', 'Resource type', 'Such as Patient.'],
    ['resourceId', 'Resource id', 'It is sent in the body of the request, never in a URL.'],
  ],
  dicom: [
    ['host', 'DICOM service', 'Its host name, such as clinic-main.dicom.azurehealthcareapis.com.'],
    ['studyUid', 'Study instance UID', ''],
    ['seriesUid', 'Series instance UID', ''],
    ['instanceUid', 'SOP instance UID', 'It is sent in the body of the request, never in a URL.'],
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
      {QUESTIONS[service].map(([name, label, note]) => (
        <Field
          key={name}
          label={label}
          note={note}
          value={entered[name] ?? ''}
          onInput={(value) => setEntered({ ...entered, [name]: value })}
          required
        />
      ))}
      <Field
        label={service === 'fhir' ? 'Version (optional)' : 'Sequence number (optional)'}
        type="number"
        value={entered.version ?? ''}
        onInput={(version) => setEntered({ ...entered, version })}
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
  const named = QUESTIONS[service].map(([name]) => [name, entered[name]?.trim()]);
  return { ...Object.fromEntries(named), ...(entered.version && { version: Number(entered.version) }) };
}
