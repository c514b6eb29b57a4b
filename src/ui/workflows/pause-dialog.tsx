import { useState } from 'preact/hooks';
import { Dialog, DialogActions } from '../parts/dialog.js';
import { Field } from '../parts/field.js';
import { Problems, useFailure } from '../parts/problems.js';
import { announce } from '../shell/announce.js';
import { request } from '../shell/request.js';

type PauseDialogProps = { readonly name: string; readonly onClose: () => void; readonly onPaused: () => void };

/** Asks for the reason, then pauses a workflow. */
export function PauseDialog({ name, onClose, onPaused }: PauseDialogProps) {
  const [why, setWhy] = useState('');
  const [failure, watched] = useFailure();
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const asked = request('POST', `workflows/${encodeURIComponent(name)}/pause`, { why: why.trim() });
    if (!(await watched(asked)).ok) return;
    announce(`${name} is paused. All instances follow within 10 seconds.`);
    onClose();
    onPaused();
  }
  return (
    <Dialog title={`Pause ${name}`} onClose={onClose}>
      <form onSubmit={submit}>
        <p>
          Its jobs wait and use up no try, until somebody resumes it. Jobs that run now end as usual. All instances
          follow within 10 seconds.
        </p>
        <Field label="Why" value={why} onInput={setWhy} note="For the next person on call. No patient data." required />
        <Problems of={failure} />
        <DialogActions kind="primary" disabled={why.trim() === ''} onClose={onClose}>
          Pause
        </DialogActions>
      </form>
    </Dialog>
  );
}
