import { useState } from 'preact/hooks';
import { announce } from './announce.js';
import { tryKey } from './session.js';

/** Asks for a function key. The page opens when the app accepts the key. */
export function KeyForm() {
  const [entered, setEntered] = useState('');
  const [isAsking, setIsAsking] = useState(false);
  const [problem, setProblem] = useState<string>();
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    if (entered.trim() === '') return setProblem('Enter a key.');
    setIsAsking(true);
    const why = await tryKey(entered);
    setIsAsking(false);
    setProblem(why);
    if (why === undefined) announce('The key is accepted.');
  }
  return (
    <form class="card narrow" onSubmit={submit}>
      <h2>This app wants a key</h2>
      <p>
        Any function key shows the page. To redrive, discard, pause or see payloads, enter the key <code>_master</code>.
        The Azure portal shows both under <em>App keys</em> of the function app.
      </p>
      <label for="key">Key</label>
      <input
        id="key"
        type="password"
        autocomplete="off"
        value={entered}
        aria-invalid={problem !== undefined}
        aria-describedby="key-problem key-note"
        onInput={(event) => setEntered(event.currentTarget.value)}
      />
      <p id="key-problem" class="problem" role="alert">
        {problem}
      </p>
      <p id="key-note" class="quiet">
        The key stays in the memory of this tab. Reload or close the tab to forget it.
      </p>
      <button type="submit" class="primary" disabled={isAsking}>
        {isAsking ? 'Asking …' : 'Open'}
      </button>
    </form>
  );
}
