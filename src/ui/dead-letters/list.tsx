import { useState } from 'preact/hooks';
import type { DeadLetterPage, ListedDeadLetter } from '../../api/dead-letters.js';
import { LastUpdated, Shown } from '../parts/states.js';
import { type Column, Table } from '../parts/table.js';
import { Ago, EventName, numberText } from '../parts/text.js';
import { announce } from '../shell/announce.js';
import { linkTo } from '../shell/route.js';
import { knownCount, partOf } from './counts.js';
import { type Filter, pathOf } from './filter.js';
import { usePages } from './pages.js';

const PAGE = 100;

const COLUMNS: readonly Column<ListedDeadLetter>[] = [
  {
    name: 'Event',
    kind: 'heading',
    cell: (letter) => (
      <EventName event={letter} href={linkTo('dead-letters', { id: letter.id })}>
        {letter.eventId || (letter.events === 1 ? 'without an id' : `${numberText(letter.events)} events`)}
      </EventName>
    ),
  },
  {
    name: 'Why',
    cell: ({ stage, reason, error, holdsState }) => (
      <>
        {stage}: {reason}
        {error && error !== reason && <code class="cut">{error}</code>}
        {holdsState && <span class="badge amber">holds the state</span>}
      </>
    ),
  },
  { name: 'Workflow', cell: ({ workflow }) => workflow || '–' },
  { name: 'Written', cell: ({ at }) => <Ago at={at} /> },
  { name: 'Redrives', kind: 'number', cell: ({ redrives }) => numberText(redrives) },
];

type ListProps = { readonly filter: Filter; readonly onReload: () => void };

/**
 * Lists the dead letters that match, page by page in the order of storage. The list of a counted cause begins at the
 * first dead letter that the count has found, because a search for it takes long.
 */
export function DeadLetterList({ filter, onReload }: ListProps) {
  const [pages, setPages] = useState(() => [partOf(knownCount(filter)?.value.groups ?? []).after ?? '']);
  const after = pages.at(-1) ?? '';
  const list = usePages<DeadLetterPage>({
    pathAfter: (before) => pathOf('dead-letters', { ...filter, ...queryAfter(before, after) }),
    add: (before, { letters, next }) => ({ letters: [...before.letters, ...letters], next }),
    isEnough: ({ letters, next }) => next === null || letters.length >= PAGE,
    onEnd: ({ letters }) => pages.length > 1 && announce(`Page ${pages.length}: ${letters.length} dead letters.`),
  });
  return (
    <section aria-labelledby="list">
      <h2 id="list">{filter.resolved ? 'Resolved dead letters' : 'Dead letters'}</h2>
      <LastUpdated of={list} />
      <Shown of={list}>
        {({ letters }) => (
          <>
            {letters.length > 0 && (
              <Table label="Dead letters that match" columns={COLUMNS} rows={letters} keyOf={({ id }) => id} />
            )}
            {list.isAsking && <p class="quiet">Looking for {letters.length > 0 && 'more '}dead letters that match …</p>}
          </>
        )}
      </Shown>
      <div class="actions">
        <Pager pages={pages} next={list.isAsking ? undefined : list.value?.next} onChange={setPages} />
        <button type="button" onClick={onReload}>
          Load again
        </button>
      </div>
    </section>
  );
}

type PagerProps = {
  /** The beginning of each page up to the one that is shown. */
  readonly pages: readonly string[];
  /** The beginning of the next page: null after the last page, undefined while it is not known. */
  readonly next: string | null | undefined;
  readonly onChange: (pages: string[]) => void;
};

/** Leads to the previous and the next page. */
function Pager({ pages, next, onChange }: PagerProps) {
  const isFirst = pages.length === 1;
  return (
    <>
      <button type="button" aria-disabled={isFirst} onClick={() => !isFirst && onChange(pages.slice(0, -1))}>
        Previous page
      </button>
      <button type="button" aria-disabled={!next} onClick={() => next && onChange([...pages, next])}>
        Next page
      </button>
      <span class="quiet">
        Page {numberText(pages.length)}
        {next === null && ', the last one'}
      </span>
    </>
  );
}

/** Returns where the next request continues, and how many more dead letters fit on the page. */
function queryAfter(before: DeadLetterPage | undefined, after: string): { after: string; limit: string } {
  return { after: before ? (before.next ?? '') : after, limit: String(PAGE - (before?.letters.length ?? 0)) };
}
