import { useState } from 'preact/hooks';
import type { DeadLetterGroups } from '../../api/dead-letters.js';
import { counted } from '../parts/text.js';
import { mayAct } from '../shell/session-state.js';
import { MayNot } from '../shell/who.js';
import { currentRun } from './current-run.js';
import { DiscardDialog } from './discard-dialog.js';
import { type Filter, filterText } from './filter.js';
import { RedriveDialog } from './redrive-dialog.js';

type ActProps = {
  readonly filter: Filter;
  readonly found: Pick<DeadLetterGroups, 'letters' | 'isMore' | 'groups'>;
  readonly onChange: () => void;
};

/** The actions that a person may take on all dead letters that match. */
export function Act({ filter, found, onChange }: ActProps) {
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
