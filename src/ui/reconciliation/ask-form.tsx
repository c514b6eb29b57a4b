import { useState } from 'preact/hooks';
import { Check, Fields, type NamedField } from '../parts/field.js';
import { Problems, useFailure } from '../parts/problems.js';
import { request } from '../shell/request.js';

type AskFormProps = { readonly hosts: readonly string[]; readonly onAsked: (message: string) => void };

const NOTHING = { since: '', until: '', workflow: '', service: '', types: '' };
type Name = keyof typeof NOTHING;
/** The fields that only a comparison of changes has, and not a search for removed resources. */
const CHANGE_FIELDS: readonly NamedField<Name>[] = [
  { name: 'since', label: 'Changes since', type: 'datetime-local', required: true },
  { name: 'until', label: 'Changes until', type: 'datetime-local', note: 'Empty: until 10 minutes ago.' },
  { name: 'workflow', label: 'Only for the workflow', note: 'Such as a new one.' },
];
const COMMON_FIELDS: readonly NamedField<Name>[] = [
  { name: 'service', label: 'Only the service', list: 'hosts' },
  { name: 'types', label: 'Only the types', note: 'Such as Patient, Observation.' },
];

/** Asks the app to compare past changes, or to find removed resources. */
export function AskForm({ hosts, onAsked }: AskFormProps) {
  const [entered, setEntered] = useState(NOTHING);
  const [findRemoved, setFindRemoved] = useState(false);
  const [dryRun, setDryRun] = useState(true);
  const [failure, watched] = useFailure();
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
        <Fields
          fields={findRemoved ? COMMON_FIELDS : [...CHANGE_FIELDS, ...COMMON_FIELDS]}
          entered={entered}
          onEnter={(name, value) => setEntered({ ...entered, [name]: value })}
        />
        <datalist id="hosts">
          {hosts.map((host) => (
            <option key={host} value={host} />
          ))}
        </datalist>
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

function bodyOf(entered: typeof NOTHING, findRemoved: boolean, dryRun: boolean) {
  const { since, until, service, types, workflow } = entered;
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
