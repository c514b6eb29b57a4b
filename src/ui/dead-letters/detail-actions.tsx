import { useState } from 'preact/hooks';
import type { DeadLetterPayload, ShownDeadLetter } from '../../api/dead-letters.js';
import { FailureBox } from '../parts/states.js';
import { type Failure, request } from '../shell/request.js';
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
  const { id, stage, isResolved, discarded, redrives, causes } = letter;
  const [open, setOpen] = useState<Open>();
  const [payload, setPayload] = useState<DeadLetterPayload>();
  const [failure, setFailure] = useState<Failure>();
  const [redriven, setRedriven] = useState<{ message: string; isAsked: boolean }>();
  if (!mayAct.value) return <MayNot to="redrive, discard or see the payload" />;
  async function show(what: Open): Promise<void> {
    const found = payload
      ? { ok: true as const, value: payload }
      : await request<DeadLetterPayload>('GET', `dead-letters/${encodeURIComponent(id)}/payload`);
    setFailure(found.ok ? undefined : found.failure);
    if (!found.ok) return;
    setPayload(found.value);
    setOpen(what);
  }
  async function runAgain(): Promise<void> {
    const result = await redrive([id], { force: redrives >= MAX_REDRIVES });
    setFailure(result.ok ? undefined : result.failure);
    if (result.ok) setRedriven({ message: result.value.message, isAsked: (result.value.counts.asked ?? 0) > 0 });
  }
  const mayRedrive = !isResolved || discarded !== undefined;
  const mayEdit = mayRedrive && stage !== 'undelivered' && !causes;
  return (
    <>
      <div class="actions">
        {mayRedrive && (
          <button type="button" class="primary" onClick={runAgain}>
            {redrives >= MAX_REDRIVES ? `Redrive again, after ${redrives} without success` : 'Redrive'}
          </button>
        )}
        {mayEdit && (
          <button type="button" onClick={() => show('editor')}>
            Edit and redrive … (audited)
          </button>
        )}
        {!isResolved && (
          <button type="button" onClick={() => setOpen('discard')}>
            Discard …
          </button>
        )}
        <button type="button" onClick={() => show('payload')}>
          Show the payload (audited)
        </button>
      </div>
      <p class="quiet">A payload can hold clinical data. The app logs who has opened which one, and when.</p>
      {failure && <FailureBox failure={failure} />}
      {redriven && <RedriveOutcome id={id} isWatched={redriven.isAsked} message={redriven.message} onEnd={onChange} />}
      {open === 'payload' && payload && <Payload of={payload} />}
      {open === 'editor' && payload && (
        <Editor
          id={id}
          original={payload.payload}
          onClose={() => setOpen(undefined)}
          onRedriven={(message) => {
            setOpen(undefined);
            setRedriven({ message, isAsked: true });
          }}
        />
      )}
      {open === 'discard' && (
        <DiscardDialog what={{ ids: [id] }} letters={1} onClose={() => setOpen(undefined)} onChange={onChange} />
      )}
    </>
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
