import { useState } from 'preact/hooks';
import { Field } from '../parts/field.js';
import { goTo } from '../shell/route.js';

/** The form that leads to the page of an event by its id. */
export function FindById() {
  const [id, setId] = useState('');
  const [problem, setProblem] = useState<string>();
  function submit(event: Event): void {
    event.preventDefault();
    if (id.trim() === '') setProblem('Enter the id of an event.');
    else goTo('events', { id: id.trim() });
  }
  return (
    <form class="card" onSubmit={submit}>
      <h2>Find by event id</h2>
      <Field
        label="Event id"
        value={id}
        onInput={setId}
        problem={problem}
        note="As Event Grid, the log or a dead letter shows it."
      />
      <button type="submit" class="primary">
        Find
      </button>
    </form>
  );
}
