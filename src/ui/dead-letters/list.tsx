import { useState } from 'preact/hooks';
import type { DeadLetterPage, ListedDeadLetter } from '../../api/dead-letters.js';
import { LastUpdated, Shown } from '../parts/states.js';
import { Table } from '../parts/table.js';
import { Ago, numberText } from '../parts/text.js';
import { usePoll } from '../shell/poll.js';
import { linkTo } from '../shell/route.js';
import { listPath } from './api.js';
import type { Filter } from './filter.js';

type ListProps = { readonly filter: Filter; readonly isResolved: boolean; readonly onReload: () => void };

/** The dead letters that match, page by page in the order of storage. */
export function DeadLetterList({ filter, isResolved, onReload }: ListProps) {
  const [pages, setPages] = useState<readonly string[]>(['']);
  const after = pages.at(-1) ?? '';
  const list = usePoll<DeadLetterPage>(listPath(filter, { after, isResolved }), Number.POSITIVE_INFINITY);
  return (
    <section aria-labelledby="list">
      <h2 id="list">{isResolved ? 'Resolved dead letters' : 'Dead letters'}</h2>
      <LastUpdated of={list} />
      <Shown of={list}>
        {({ letters, next }) => (
          <>
            {letters.length > 0 && <Letters letters={letters} />}
            <div class="actions">
              {pages.length > 1 && (
                <button type="button" onClick={() => setPages(pages.slice(0, -1))}>
                  Previous page
                </button>
              )}
              {next && (
                <button type="button" onClick={() => setPages([...pages, next])}>
                  Next page
                </button>
              )}
              <span class="quiet">
                Page {numberText(pages.length)}
                {!next && ', the last one'}
              </span>
              <button type="button" onClick={onReload}>
                Load again
              </button>
            </div>
          </>
        )}
      </Shown>
    </section>
  );
}

function Letters({ letters }: { letters: readonly ListedDeadLetter[] }) {
  return (
    <Table
      label="Dead letters that match"
      columns={['Event', 'Why', 'Workflow', 'Written', 'Redrives']}
      numbers={['Redrives']}
    >
      {letters.map((letter) => (
        <LetterRow key={letter.id} letter={letter} />
      ))}
    </Table>
  );
}

function LetterRow({ letter }: { letter: ListedDeadLetter }) {
  const { id, stage, reason, workflow, error, type, resourceType, eventId, at, redrives, events, holdsState } = letter;
  const name = eventId || (events === 1 ? 'without an id' : `${numberText(events)} events`);
  return (
    <tr>
      <th scope="row">
        <a class="cut" href={linkTo('dead-letters', { id })}>
          {name}
        </a>
        <span class="quiet cut">
          {type.replace('Microsoft.HealthcareApis.', '')} {resourceType}
        </span>
      </th>
      <td data-name="Why">
        {stage}: {reason}
        {error && error !== reason && <code class="cut">{error}</code>}
        {holdsState && <span class="badge amber">holds the state</span>}
      </td>
      <td data-name="Workflow">{workflow || '–'}</td>
      <td data-name="Written">
        <Ago at={at} />
      </td>
      <td class="number" data-name="Redrives">
        {numberText(redrives)}
      </td>
    </tr>
  );
}
