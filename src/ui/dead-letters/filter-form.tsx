import { useState } from 'preact/hooks';
import { Check, Field, Fields, Select } from '../parts/field.js';
import { goTo } from '../shell/route.js';
import { type Filter, LABELS, STAGES } from './filter.js';

const TEXTS = (['reason', 'workflow', 'error', 'frame', 'type', 'resourceType'] as const).map((name) => ({
  name,
  label: LABELS[name],
}));
const TIMES = ['from', 'to'] as const;

/** The form that chooses dead letters. The choice is in the URL after `#`, so that it can be shared. */
export function FilterForm({ filter }: { filter: Filter }) {
  const [entered, setEntered] = useState<Filter>(filter);
  const set = (field: keyof Filter, value: string) => setEntered((before) => ({ ...before, [field]: value }));
  function submit(event: Event): void {
    event.preventDefault();
    goTo('dead-letters', { query: entered });
  }
  const isFiltered = Object.keys(filter).length > 0;
  return (
    <details class="card" open={isFiltered}>
      <summary>Filter</summary>
      <form class="fields" onSubmit={submit}>
        <Select
          label="Stage"
          value={entered.stage ?? ''}
          options={[['', 'all stages'], ...Object.entries(STAGES)]}
          onInput={(stage) => set('stage', stage)}
        />
        <Fields fields={TEXTS} entered={entered} onEnter={set} />
        {TIMES.map((field) => (
          <Field
            key={field}
            label={LABELS[field]}
            type="datetime-local"
            value={localOf(entered[field])}
            onInput={(value) => set(field, utcOf(value))}
          />
        ))}
        <Check
          label="Resolved ones instead of pending ones"
          value={entered.resolved === 'true'}
          onInput={(isOn) => set('resolved', isOn ? 'true' : '')}
        />
        <Buttons isFiltered={isFiltered} />
      </form>
    </details>
  );
}

function Buttons({ isFiltered }: { isFiltered: boolean }) {
  return (
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
