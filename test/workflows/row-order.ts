import { visible } from '../../src/handler/workflow-table.js';
import type { MemoryTableStore } from '../../src/storage/memory-table-store.js';
import type { Row } from '../../src/workflow.js';
import { watchWrites } from '../row-history.js';
import type { StoryEvent } from './every-crash.js';

/** Numbers that never fall from one write of a row to the next; after a removal they must rise. */
type Measures = Readonly<Record<string, number>>;
/** Returns when in the story a resource had a version, counted from 0; NaN if unknown. */
type MomentOf = (resource: { host: unknown; id: unknown; version: unknown; time?: unknown }) => number;
type Seen = { row: Row; measures: Measures; isRemoved: boolean };

/** The rows of the bundled workflows. A row with a version may only become newer. */
const MEASURES: Readonly<Record<string, (row: Row, momentOf: MomentOf) => Measures>> = {
  resources: ({ host, resourceId, instanceUid, version, time }, momentOf) => ({
    version: momentOf({ host, id: resourceId ?? instanceUid, version, time }),
  }),
  patients: ({ host, resourceId, version }, momentOf) => ({ version: momentOf({ host, id: resourceId, version }) }),
  alerts: ({ host, observationId, version, revision, sentRevision }, momentOf) => ({
    version: momentOf({ host, id: observationId, version }),
    revision: Number(revision),
    sentRevision: Number(sentRevision),
  }),
  results: ({ host, observationId, version }, momentOf) => ({
    version: momentOf({ host, id: observationId, version }),
  }),
  alertoutbox: ({ revision }) => ({ revision: Number(revision) }),
  activealerts: ({ revision }) => ({ revision: Number(revision) }),
  studyinstances: ({ host, instanceUid, version, time, createdAt }, momentOf) => ({
    version: momentOf({ host, id: instanceUid, version, time }),
    createdAt: Date.parse(String(createdAt)),
  }),
  studies: ({ revision, period }) => ({ revision: Number(revision), period: Number(period) }),
  openstudies: ({ period }) => ({ period: Number(period) }),
};

/** Lists that a late handler may write again. Readers also read the alert or the study. */
const MAY_COME_BACK: ReadonlySet<string> = new Set(['alertoutbox', 'activealerts', 'openstudies']);

/** Reports each row of `tables` that goes back to an older version of `story`, at any write. */
export function watchOrder(
  tables: MemoryTableStore,
  story: readonly StoryEvent[],
  report: (wrong: string) => void,
): void {
  const momentOf = momentsOf(story);
  const seen = new Map<string, Seen>();
  watchWrites(tables, ({ table, partition, key, after }) => {
    const place = `${table} ${partition} ${key}`;
    const row = after && visible(after);
    const before = seen.get(place);
    const measures = row && MEASURES[table]?.(row, momentOf);
    if (row && measures) {
      for (const wrong of wrongsBetween(table, before, measures)) report(`${place}: ${wrong}`);
      seen.set(place, { row, measures, isRemoved: false });
    } else if (before && !row) {
      if (table === 'patients' && !mayBeRemoved(before, story)) report(`${place}: removed, and nobody had deleted it`);
      before.isRemoved = true;
    }
  });
}

function wrongsBetween(table: string, before: Seen | undefined, measures: Measures): string[] {
  return Object.entries(measures).flatMap(([name, value]) => {
    const was = before?.measures[name] ?? Number.NaN;
    const isWrong = before?.isRemoved && !MAY_COME_BACK.has(table) ? value <= was : value < was;
    return isWrong ? [`${name} went from ${was} to ${value}${before?.isRemoved ? ', removed in between' : ''}`] : [];
  });
}

/** Returns whether the resource was deleted after the version that the row showed. */
function mayBeRemoved({ row, measures }: Seen, story: readonly StoryEvent[]): boolean {
  return story.some(({ event, content }, at) => {
    const isOfRow = event.service === 'fhir' && event.host === row.host && event.resourceId === row.resourceId;
    return isOfRow && content === undefined && !(at <= (measures.version ?? Number.NaN));
  });
}

function momentsOf(story: readonly StoryEvent[]): MomentOf {
  return ({ host, id, version, time }) => {
    const fitting = [...story.entries()].filter(
      ([, { event }]) =>
        (host === undefined || event.host === host) &&
        (event.service === 'fhir' ? event.resourceId : event.instanceUid) === id &&
        event.version === version &&
        (time === undefined || event.time === time),
    );
    return fitting.length === 1 ? (fitting[0]?.[0] ?? Number.NaN) : Number.NaN; // a version of two incarnations says nothing
  };
}
