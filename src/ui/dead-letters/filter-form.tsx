import { useState } from 'preact/hooks';
import { Field } from '../parts/field.js';
import { goTo } from '../shell/route.js';
import { type Field as FieldName, type Filter, STAGES } from './filter.js';

type FilterFormProps = { readonly filter: Filter; readonly isResolved: boolean };

const TEXTS = [
  ['reason', 'Reason'],
  ['workflow', 'Workflow'],
  ['error', 'Error'],
  ['frame', 'Place in the code'],
  ['type', 'Event type'],
  ['resourceType', 'Resource type'],
] as const;
const TIMES = [
  ['from', 'Written from'],
  ['to', 'Written until'],
] as const;

/** The form that chooses dead letters. The choice is in the URL after `#`, so that it can be shared. */
export function FilterForm({ filter, isResolved }: FilterFormProps) {
  const [entered, setEntered] = useState<Filter>(filter);
  const [wantsResolved, setWantsResolved] = useState(isResolved);
  const set = (field: FieldName) => (value: string) => setEntered((before) => ({ ...before, [field]: value }));
  function submit(event: Event): void {
    event.preventDefault();
    goTo('dead-letters', { query: { ...entered, resolved: wantsResolved ? 'true' : '' } });
  }
  const isFiltered = Object.keys(filter).length > 0 || isResolved;
  return (
    <details class="card" open={isFiltered}>
      <summary>Filter</summary>
      <form class="fields" onSubmit={submit}>
        <div class="field">
          <label for="stage">Stage</label>
          <select id="stage" value={entered.stage ?? ''} onChange={(event) => set('stage')(event.currentTarget.value)}>
            <option value="">all stages</option>
            {Object.entries(STAGES).map(([stage, text]) => (
              <option key={stage} value={stage}>
                {text}
              </option>
            ))}
          </select>
        </div>
        {TEXTS.map(([field, label]) => (
          <Field key={field} label={label} value={entered[field] ?? ''} onInput={set(field)} />
        ))}
        {TIMES.map(([field, label]) => (
          <Field
            key={field}
            label={label}
            type="datetime-local"
            value={localOf(entered[field])}
            onInput={(value) => set(field)(utcOf(value))}
          />
        ))}
        <label class="check">
          <input
            type="checkbox"
            checked={wantsResolved}
            onChange={(event) => setWantsResolved(event.currentTarget.checked)}
          />
          Resolved ones instead of pending ones
        </label>
        <div class="actions">
          <button type="submit" class="primary">
            Show
          </button>
          {isFiltered && (
            <button type="button" onClick={() => goTo('dead-letters')}>
              Show all
            </button>
          )}
        </div>
      </form>
    </details>
  );
}

/** Returns a UTC time in the reader's zone, as the browser's input field expects it. */
function localOf(utc: string | undefined): string {
  const at = new Date(utc ?? Number.NaN);
  if (Number.isNaN(at.getTime())) return '';
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function utcOf(local: string): string {
  const at = new Date(local);
  return Number.isNaN(at.getTime()) ? '' : at.toISOString();
}
