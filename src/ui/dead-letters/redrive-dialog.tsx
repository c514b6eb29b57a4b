import { useState } from 'preact/hooks';
import type { DeadLetterGroups } from '../../api/dead-letters.js';
import { Dialog, DialogActions } from '../parts/dialog.js';
import { Check, Field } from '../parts/field.js';
import { counted } from '../parts/text.js';
import { partOf } from './counts.js';
import { startRun } from './current-run.js';
import { type Filter, filterText } from './filter.js';

type RedriveDialogProps = {
  readonly filter: Filter;
  readonly found: Pick<DeadLetterGroups, 'letters' | 'groups'>;
  readonly onClose: () => void;
  readonly onChange: () => void;
};

/** Asks how many dead letters to redrive, and explains the stages. */
export function RedriveDialog({ filter, found, onClose, onChange }: RedriveDialogProps) {
  const [wanted, setWanted] = useState(String(found.letters));
  const [force, setForce] = useState(false);
  const total = Number(wanted);
  const isWrong = !Number.isInteger(total) || total < 1 || total > found.letters;
  const problem = isWrong ? `Enter a whole number from 1 to ${found.letters}.` : undefined;
  function submit(event: Event): void {
    event.preventDefault();
    if (isWrong) return;
    onClose();
    void startRun({ filter, part: partOf(found.groups), total, isAll: total === found.letters, force }, onChange);
  }
  return (
    <Dialog title="Redrive dead letters" onClose={onClose}>
      <form onSubmit={submit}>
        <p>{filterText(filter)}.</p>
        <Field label="How many" type="number" value={wanted} onInput={setWanted} problem={problem} required />
        <ol>
          <li>The first one runs. If it fails again, the redrive stops.</li>
          <li>Ten more run.</li>
          <li>The rest runs in hundreds.</li>
        </ol>
        <p>It stops by itself when at least 3, and more than 20 %, have failed again. You can stop it at any time.</p>
        <Check
          label="Force: also those that three redrives could not fix, and payloads that this version does not accept"
          value={force}
          onInput={setForce}
        />
        <DialogActions kind="primary" disabled={isWrong} onClose={onClose}>
          Redrive {isWrong ? '' : counted(total, 'dead letter')}
        </DialogActions>
      </form>
    </Dialog>
  );
}
