import type { WorkflowStatus } from '../../api/workflows.js';
import { Ago, durationText, numberText } from '../parts/text.js';
import { linkTo } from '../shell/route.js';
import { mayAct } from '../shell/session-state.js';

type WorkflowRowProps = {
  readonly workflow: WorkflowStatus;
  readonly onPause: (name: string) => void;
  readonly onResume: (name: string) => void;
};

/** Shows one workflow: its events, its state, its last hour and its limits. */
export function WorkflowRow({ workflow, onPause, onResume }: WorkflowRowProps) {
  const { name, on, ordering, timeoutSeconds, maxTries, concurrency, paused, lastHour } = workflow;
  return (
    <tr>
      <th scope="row">
        {name}
        <ul class="quiet plain-list">
          {on.map((one) => (
            <li key={one}>{one}</li>
          ))}
        </ul>
      </th>
      <td data-name="State">
        <State workflow={workflow} />
      </td>
      <td data-name="Last hour">
        {numberText(lastHour.completed)} completed, {numberText(lastHour.superseded)} superseded,{' '}
        {numberText(lastHour.retried)} retried,{' '}
        <a href={linkTo('dead-letters', { query: { workflow: name } })}>
          {numberText(lastHour.deadLettered)} dead-lettered
        </a>
      </td>
      <td data-name="Duration p50, p99">
        {durationText(lastHour.durationP50)}, {durationText(lastHour.durationP99)}
      </td>
      <td data-name="Limits">
        {numberText(maxTries)} tries of {durationText(timeoutSeconds)}, {numberText(concurrency)} at a time, order:{' '}
        {ordering}
      </td>
      <td data-name="Change">
        {mayAct.value &&
          (paused ? (
            <button type="button" onClick={() => onResume(name)}>
              Resume <span class="only-read">{name}</span>
            </button>
          ) : (
            <button type="button" onClick={() => onPause(name)}>
              Pause … <span class="only-read">{name}</span>
            </button>
          ))}
        {!mayAct.value && <span class="quiet">needs the role Operator, or the key of an administrator</span>}
      </td>
    </tr>
  );
}

function State({ workflow: { paused, circuits } }: { workflow: WorkflowStatus }) {
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
