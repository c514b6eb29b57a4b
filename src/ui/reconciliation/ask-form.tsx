import { useState } from 'preact/hooks';
import { Check, Field } from '../parts/field.js';
import { Problems, useFailure } from '../parts/problems.js';
import { request } from '../shell/request.js';

type AskFormProps = { readonly hosts: readonly string[]; readonly onAsked: (message: string) => void };
type Entered = { since: string; until: string; service: string; types: string; workflow: string };

const NOTHING: Entered = { since: '', until: '', service: '', types: '', workflow: '' };

/** Asks the app to compare past changes, or to find removed resources. */
export function AskForm({ hosts, onAsked }: AskFormProps) {
  const [entered, setEntered] = useState(NOTHING);
  const [findRemoved, setFindRemoved] = useState(false);
  const [dryRun, setDryRun] = useState(true);
  const [failure, watched] = useFailure();
  const set = (name: keyof Entered) => (value: string) => setEntered({ ...entered, [name]: value });
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const result = await watched(request('POST', 'reconcile', bodyOf(entered, findRemoved, dryRun)));
    if (result.ok) onAsked('The request is made. The app works on it from the next minute on; see it below.');
  }
  return (
    <details class="card">
      <summary>Ask for a comparison</summary>
      <form class="fields" onSubmit={submit}>
        <Check label="Find resources that were removed without an event" value={findRemoved} onInput={setFindRemoved} />
        {!findRemoved && (
          <>
            <Field label="Changes since" type="datetime-local" value={entered.since} onInput={set('since')} required />
            <Field
              label="Changes until"
              type="datetime-local"
              value={entered.until}
              onInput={set('until')}
              note="Empty: until 10 minutes ago."
            />
            <Field
              label="Only for the workflow"
              value={entered.workflow}
              onInput={set('workflow')}
              note="Such as a new one."
            />
          </>
        )}
        <Field label="Only the service" value={entered.service} onInput={set('service')} list="hosts" />
        <datalist id="hosts">
          {hosts.map((host) => (
            <option key={host} value={host} />
          ))}
        </datalist>
        <Field
          label="Only the types"
          value={entered.types}
          onInput={set('types')}
          note="Such as Patient, Observation."
        />
        <Check label="Count only, and change nothing" value={dryRun} onInput={setDryRun} />
        <Problems of={failure} />
        <div class="actions">
          <button type="submit" class="primary">
            {dryRun ? 'Count what is missing' : 'Bring in what is missing'}
          </button>
        </div>
      </form>
    </details>
  );
}

function bodyOf({ since, until, service, types, workflow }: Entered, findRemoved: boolean, dryRun: boolean) {
  const named = types
    .split(',')
    .map((type) => type.trim())
    .filter((type) => type !== '');
  const times = {
    ...(since && { since: new Date(since).toISOString() }),
    ...(until && { until: new Date(until).toISOString() }),
    ...(workflow && { workflow: workflow.trim() }),
  };
  return {
    ...(!findRemoved && times),
    ...(service && { service: service.trim() }),
    ...(named.length > 0 && { types: named }),
    findRemoved,
    dryRun,
  };
}
