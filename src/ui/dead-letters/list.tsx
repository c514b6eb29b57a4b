import { useState } from 'preact/hooks';
import type { DeadLetterPage, ListedDeadLetter } from '../../api/dead-letters.js';
import { LastUpdated, Shown } from '../parts/states.js';
import { Table } from '../parts/table.js';
import { Ago, numberText } from '../parts/text.js';
import { announce } from '../shell/announce.js';
import { linkTo } from '../shell/route.js';
import { listPath } from './api.js';
import { countKnown, partOf } from './counts.js';
import type { Filter } from './filter.js';
import { usePages } from './pages.js';

const PAGE = 100;

type ListProps = { readonly filter: Filter; readonly isResolved: boolean; readonly onReload: () => void };

/**
 * Lists the dead letters that match, page by page in the order of storage. The list of a counted cause begins at the
 * first dead letter that the count has found, because a search for it takes long.
 */
export function DeadLetterList({ filter, isResolved, onReload }: ListProps) {
  const [pages, setPages] = useState(() => [partOf(countKnown(filter, isResolved)?.value.groups ?? []).after ?? '']);
  const after = pages.at(-1) ?? '';
  const list = usePages<DeadLetterPage>({
    pathAfter: (before) => listPath(filter, { ...rest(before, after), isResolved }),
    add: (before, { letters, next }) => ({ letters: [...before.letters, ...letters], next }),
    isEnough: ({ letters, next }) => next === null || letters.length >= PAGE,
    onEnd: ({ letters }) => pages.length > 1 && announce(`Page ${pages.length}: ${letters.length} dead letters.`),
  });
  const next = list.isAsking ? undefined : list.value?.next;
  const isFirst = pages.length === 1;
  return (
    <section aria-labelledby="list">
      <h2 id="list">{isResolved ? 'Resolved dead letters' : 'Dead letters'}</h2>
      <LastUpdated of={list} />
      <Shown of={list}>
        {({ letters }) => (
          <>
            {letters.length > 0 && <Letters letters={letters} />}
            {list.isAsking && <p class="quiet">Looking for {letters.length > 0 && 'more '}dead letters that match …</p>}
          </>
        )}
      </Shown>
      <div class="actions">
        <button type="button" aria-disabled={isFirst} onClick={() => !isFirst && setPages(pages.slice(0, -1))}>
          Previous page
        </button>
        <button type="button" aria-disabled={!next} onClick={() => next && setPages([...pages, next])}>
          Next page
        </button>
        <span class="quiet">
          Page {numberText(pages.length)}
          {list.value?.next === null && ', the last one'}
        </span>
        <button type="button" onClick={onReload}>
          Load again
        </button>
      </div>
    </section>
  );
}

/** Returns where the next request continues, and how many more dead letters fit on the page. */
function rest(before: DeadLetterPage | undefined, after: string): { after: string; limit: number } {
  return before ? { after: before.next ?? '', limit: PAGE - before.letters.length } : { after, limit: PAGE };
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
