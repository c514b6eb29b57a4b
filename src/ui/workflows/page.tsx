import { useState } from 'preact/hooks';
import type { WorkflowStatus } from '../../api/workflows.js';
import { Dialog, DialogActions } from '../parts/dialog.js';
import { Field } from '../parts/field.js';
import { Problems, useFailure } from '../parts/problems.js';
import { LastUpdated, Shown } from '../parts/states.js';
import { Table } from '../parts/table.js';
import { announce } from '../shell/announce.js';
import { usePoll } from '../shell/poll.js';
import { request } from '../shell/request.js';
import { columnsOf } from './columns.js';

const EVERY_MS = 5000;

/** Lists the workflows of the app, with pause and resume. */
export function WorkflowsPage() {
  const list = usePoll<{ workflows: WorkflowStatus[] }>('workflows', EVERY_MS);
  const [pausing, setPausing] = useState<string>();
  const [failure, watched] = useFailure();
  async function resume(name: string): Promise<void> {
    const result = await watched(request('POST', `workflows/${encodeURIComponent(name)}/resume`, {}));
    if (result.ok) announce(`${name} is resumed. All instances follow within 10 seconds.`);
    list.refresh();
  }
  return (
    <>
      <LastUpdated of={list} />
      <Problems of={failure} />
      <Shown of={list}>
        {({ workflows }) => (
          <Table
            label="Workflows of the app"
            columns={columnsOf({ onPause: setPausing, onResume: resume })}
            rows={workflows}
            keyOf={({ name }) => name}
            empty="The app has no workflow. Add one: npm run new:workflow."
          />
        )}
      </Shown>
      {pausing && <PauseDialog name={pausing} onClose={() => setPausing(undefined)} onPaused={list.refresh} />}
    </>
  );
}

type PauseDialogProps = { readonly name: string; readonly onClose: () => void; readonly onPaused: () => void };

/** Asks for the reason, then pauses a workflow. */
function PauseDialog({ name, onClose, onPaused }: PauseDialogProps) {
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
