import { useState } from 'preact/hooks';
import type { ChangeAnswer } from '../../api/dead-letters.js';
import { Dialog, DialogActions } from '../parts/dialog.js';
import { Field } from '../parts/field.js';
import { Problems } from '../parts/problems.js';
import { counted, numberText } from '../parts/text.js';
import { announce } from '../shell/announce.js';
import { type Failure, request } from '../shell/request.js';
import type { Filter } from './filter.js';

type DiscardDialogProps = {
  readonly what: { readonly filter: Filter } | { readonly ids: readonly string[] };
  readonly letters: number;
  readonly onClose: () => void;
  readonly onChange: () => void;
};

const AT_ONCE = 1000;

/** Asks for the reason, then discards. A discarded dead letter stays visible among the resolved ones, with its reason. */
export function DiscardDialog({ what, letters, onClose, onChange }: DiscardDialogProps) {
  const [why, setWhy] = useState('');
  const [state, setState] = useState<{ done: number; isRunning: boolean; failure?: Failure | undefined }>(READY);
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    if (why.trim() === '') return;
    const failure = await discardAll({ ...what, why: why.trim() }, (done) => setState({ done, isRunning: true }));
    setState((before) => ({ ...before, isRunning: false, failure }));
    if (failure) return;
    announce(`Discarded ${counted(letters, 'dead letter')}.`);
    onClose();
    onChange();
  }
  return (
    <Dialog title={`Discard ${counted(letters, 'dead letter')}`} onClose={onClose}>
      <form onSubmit={submit}>
        <p>Their events will not run. The reason stays beside them, and in the audit log, until they expire.</p>
        <Field
          label="Why"
          value={why}
          onInput={setWhy}
          note="For the person who asks in three months. No patient data."
          required
        />
        <Problems of={state.failure} />
        {state.isRunning && <p role="status">Discarded {numberText(state.done)} so far …</p>}
        <DialogActions kind="danger" disabled={state.isRunning || why.trim() === ''} onClose={onClose}>
          Discard
        </DialogActions>
      </form>
    </Dialog>
  );
}

const READY = { done: 0, isRunning: false };

/** Discards page by page. A repeated request changes nothing: the first note stays. */
async function discardAll(
  { ids, filter, why }: { ids?: readonly string[]; filter?: Filter; why: string },
  onDone: (done: number) => void,
): Promise<Failure | undefined> {
  let after: string | null | undefined;
  let done = 0;
  onDone(done);
  do {
    const page = ids ? { ids } : { filter: filter ?? {}, limit: AT_ONCE, ...(after && { after }) };
    const result = await request<ChangeAnswer>('POST', 'dead-letters/discard', { ...page, why });
    if (!result.ok) return result.failure;
    const { counts, stopped, message, next } = result.value;
    if (stopped) return { kind: 'storage', message };
    done += counts.discarded ?? 0;
    onDone(done);
    after = next;
  } while (after);
  return undefined;
}
