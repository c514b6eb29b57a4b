import { useState } from 'preact/hooks';
import type { DeadLetterPayload, ShownDeadLetter } from '../../api/dead-letters.js';
import { useFailure } from '../parts/problems.js';
import { FailureBox } from '../parts/states.js';
import { request } from '../shell/request.js';
import { mayAct } from '../shell/session-state.js';
import { MayNot } from '../shell/who.js';
import { redrive } from './api.js';
import { DiscardDialog } from './discard-dialog.js';
import { Editor } from './editor.js';
import { NumberedLines } from './numbered-lines.js';
import { RedriveOutcome } from './redrive-outcome.js';

const INDENT = 2;
/** After this many redrives the app requires `force`. */
const MAX_REDRIVES = 3;

type DetailActionsProps = { readonly letter: ShownDeadLetter; readonly onChange: () => void };
type Open = 'payload' | 'editor' | 'discard';

/** The actions on one dead letter. The payload comes only after a click, and the app logs that click. */
export function DetailActions({ letter, onChange }: DetailActionsProps) {
  const { id, redrives } = letter;
  const [open, setOpen] = useState<Open>();
  const [payload, setPayload] = useState<DeadLetterPayload>();
  const [failure, watched] = useFailure();
  const [redriven, setRedriven] = useState<{ message: string; isAsked: boolean }>();
  if (!mayAct.value) return <MayNot to="redrive, discard or see the payload" />;
  const close = () => setOpen(undefined);
  async function show(what: Open): Promise<void> {
    const path = `dead-letters/${encodeURIComponent(id)}/payload`;
    const found = await watched(
      payload ? Promise.resolve({ ok: true as const, value: payload }) : request<DeadLetterPayload>('GET', path),
    );
    if (!found.ok) return;
    setPayload(found.value);
    setOpen(what);
  }
  async function runAgain(): Promise<void> {
    const result = await watched(redrive([id], { force: redrives >= MAX_REDRIVES }));
    if (result.ok) setRedriven({ message: result.value.message, isAsked: (result.value.counts.asked ?? 0) > 0 });
  }
  function watch(message: string): void {
    close();
    setRedriven({ message, isAsked: true });
  }
  return (
    <>
      <Buttons letter={letter} onRedrive={runAgain} onShow={show} onDiscard={() => setOpen('discard')} />
      <p class="quiet">A payload can hold clinical data. The app logs who has opened which one, and when.</p>
      {failure && <FailureBox failure={failure} />}
      {redriven && <RedriveOutcome id={id} isWatched={redriven.isAsked} message={redriven.message} onEnd={onChange} />}
      {open === 'payload' && payload && <Payload of={payload} />}
      {open === 'editor' && payload && <Editor id={id} original={payload.payload} onClose={close} onRedriven={watch} />}
      {open === 'discard' && <DiscardDialog what={{ ids: [id] }} letters={1} onClose={close} onChange={onChange} />}
    </>
  );
}

type ButtonsProps = {
  readonly letter: ShownDeadLetter;
  readonly onRedrive: () => void;
  readonly onShow: (what: 'payload' | 'editor') => void;
  readonly onDiscard: () => void;
};

function Buttons({ letter, onRedrive, onShow, onDiscard }: ButtonsProps) {
  const { stage, isResolved, discarded, redrives, causes } = letter;
  const mayRedrive = !isResolved || discarded !== undefined;
  const mayEdit = mayRedrive && stage !== 'undelivered' && !causes;
  return (
    <div class="actions">
      {mayRedrive && (
        <button type="button" class="primary" onClick={onRedrive}>
          {redrives >= MAX_REDRIVES ? `Redrive again, after ${redrives} without success` : 'Redrive'}
        </button>
      )}
      {mayEdit && (
        <button type="button" onClick={() => onShow('editor')}>
          Edit and redrive … (audited)
        </button>
      )}
      {!isResolved && (
        <button type="button" onClick={onDiscard}>
          Discard …
        </button>
      )}
      <button type="button" onClick={() => onShow('payload')}>
        Show the payload (audited)
      </button>
    </div>
  );
}

function Payload({ of: { payload, message } }: { of: DeadLetterPayload }) {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload, undefined, INDENT);
  return (
    <section class="card" aria-labelledby="payload">
      <h3 id="payload">Payload</h3>
      {message && (
        <p>
          Message of the error: <q>{message}</q>
        </p>
      )}
      <NumberedLines text={text} label="Payload" />
    </section>
  );
}
