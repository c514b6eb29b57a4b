import { useState } from 'preact/hooks';
import type { DeadLetterGroups } from '../../api/dead-letters.js';
import { Dialog, DialogActions } from '../parts/dialog.js';
import { Check, Field } from '../parts/field.js';
import { counted } from '../parts/text.js';
import { mayAct } from '../shell/session-state.js';
import { MayNot } from '../shell/who.js';
import { partOf } from './counts.js';
import { currentRun, startRun } from './current-run.js';
import { DiscardDialog } from './discard-dialog.js';
import { type Filter, filterText } from './filter.js';

type BulkActionsProps = {
  readonly filter: Filter;
  readonly found: Pick<DeadLetterGroups, 'letters' | 'isMore' | 'groups'>;
  readonly onChange: () => void;
};

/** The actions on all dead letters that match the filter. */
export function BulkActions({ filter, found, onChange }: BulkActionsProps) {
  const [open, setOpen] = useState<'redrive' | 'discard'>();
  const close = () => setOpen(undefined);
  if (!mayAct.value) return <MayNot to="redrive or discard" />;
  const isRunning = currentRun.value?.phase === 'running';
  return (
    <div class="box act">
      <p>
        <strong>
          {counted(found.letters, 'dead letter')}
          {found.isMore && ' and more'}
        </strong>
        : {filterText(filter)}.
      </p>
      <div class="actions">
        <button type="button" class="primary" disabled={isRunning} onClick={() => setOpen('redrive')}>
          Redrive …
        </button>
        <button type="button" onClick={() => setOpen('discard')}>
          Discard …
        </button>
        {isRunning && <span class="quiet">A redrive is under way: see above.</span>}
      </div>
      {open === 'redrive' && <RedriveDialog filter={filter} found={found} onClose={close} onChange={onChange} />}
      {open === 'discard' && (
        <DiscardDialog what={{ filter }} letters={found.letters} onClose={close} onChange={onChange} />
      )}
    </div>
  );
}

/** Asks how many dead letters to redrive, and explains the stages. */
function RedriveDialog({ filter, found, onClose, onChange }: BulkActionsProps & { readonly onClose: () => void }) {
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
