import type { WorkflowStatus } from '../../api/workflows.js';
import type { Column } from '../parts/table.js';
import { Ago, durationText, numberText } from '../parts/text.js';
import { linkTo } from '../shell/route.js';
import { mayAct } from '../shell/session-state.js';

type Actions = { readonly onPause: (name: string) => void; readonly onResume: (name: string) => void };

/** Returns the columns of a workflow: its events, its state, its last hour, its limits, and what a person may change. */
export function columnsOf(actions: Actions): readonly Column<WorkflowStatus>[] {
  return [
    { name: 'Workflow', kind: 'heading', cell: Name },
    { name: 'State', cell: State },
    { name: 'Last hour', cell: LastHour },
    {
      name: 'Duration p50, p99',
      cell: ({ lastHour }) => `${durationText(lastHour.durationP50)}, ${durationText(lastHour.durationP99)}`,
    },
    {
      name: 'Limits',
      cell: ({ maxTries, timeoutSeconds, concurrency, ordering }) =>
        `${numberText(maxTries)} tries of ${durationText(timeoutSeconds)}, ${numberText(concurrency)} at a time, order: ${ordering}`,
    },
    { name: 'Change', cell: (workflow) => <Change workflow={workflow} {...actions} /> },
  ];
}

function Name({ name, on }: WorkflowStatus) {
  return (
    <>
      {name}
      <ul class="quiet plain-list">
        {on.map((one) => (
          <li key={one}>{one}</li>
        ))}
      </ul>
    </>
  );
}

function LastHour({ name, lastHour: { completed, superseded, retried, deadLettered } }: WorkflowStatus) {
  return (
    <>
      {numberText(completed)} completed, {numberText(superseded)} superseded, {numberText(retried)} retried,{' '}
      <a href={linkTo('dead-letters', { query: { workflow: name } })}>{numberText(deadLettered)} dead-lettered</a>
    </>
  );
}

function Change({ workflow: { name, paused }, onPause, onResume }: Actions & { workflow: WorkflowStatus }) {
  if (!mayAct.value) return <span class="quiet">needs the role Operator, or the key of an administrator</span>;
  return (
    <button type="button" onClick={() => (paused ? onResume(name) : onPause(name))}>
      {paused ? 'Resume' : 'Pause …'} <span class="only-read">{name}</span>
    </button>
  );
}

function State({ paused, circuits }: WorkflowStatus) {
  const open = circuits.filter(({ state }) => state !== 'closed');
  const failing = circuits.filter(({ state, failuresInARow }) => state === 'closed' && failuresInARow > 0);
  return (
    <>
      {paused && (
        <p>
          <span class="badge amber">paused</span> <Ago at={paused.since} /> by {paused.by}: {paused.why}
        </p>
      )}
      {open.map(({ instance, state, failuresInARow, openSince, nextProbeAt }) => (
        <p key={instance}>
          <span class="badge red">circuit {state}</span> opened <Ago at={openSince} />, after{' '}
          {numberText(failuresInARow)} failures in a row; next probe <Ago at={nextProbeAt} />.{' '}
          <span class="quiet">Instance {instance}</span>
        </p>
      ))}
      {failing.map(({ instance, failuresInARow }) => (
        <p key={instance}>
          <span class="badge amber">{numberText(failuresInARow)} failures in a row</span>{' '}
          <span class="quiet">Instance {instance}</span>
        </p>
      ))}
      {!paused && open.length + failing.length === 0 && <span class="badge green">runs</span>}
    </>
  );
}
