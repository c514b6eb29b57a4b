import { readError } from '../clients/read-error.js';
import type { Change } from '../events/health-event.js';
import { toIsoUtc } from '../events/time.js';
import { type Fields, fieldsOf, textOf } from '../workflow.js';
import { type FoundPage, type Span, SpanReading } from './found-page.js';
import { fewerEntries, type GetPage } from './get-page.js';
import type { FoundDicomChange } from './known-changes.js';

type Deps = { readonly host: string; readonly get: GetPage };

/** The largest page of version 2 of the API. A service with a lower limit answers with fewer entries. */
const MAX_ENTRIES = 200;
/** A service counts the entries that it skips, so a later time is cheaper than a large offset. */
const MAX_OFFSET = 5000;
const CHANGES: Readonly<Record<string, Change>> = { create: 'created', update: 'updated', delete: 'deleted' };
const DEFAULT_PARTITION = 'Microsoft.Default';

/**
 * Reads the changes of a span from the change feed, oldest first, page by page. Metadata of images is not requested.
 * @throws ReadError, RetryAfterError or NonRetriableError, each with a code
 */
export async function* dicomChanges(span: Span, { host, get }: Deps): AsyncGenerator<FoundPage> {
  const reading = new SpanReading('dicom', span);
  let limit = MAX_ENTRIES;
  let { since } = span;
  let offset = 0;
  for (;;) {
    let entries: readonly unknown[];
    try {
      entries = entriesIn(await get(pathOf({ since, before: span.before }, offset, limit)));
    } catch (error) {
      const fewer = fewerEntries(error, limit);
      if (fewer === undefined) throw error;
      limit = fewer;
      continue;
    }
    const { found, unreadable } = changesIn(entries, host);
    const { changes, isPast } = reading.take(found);
    const isLast = entries.length === 0 || isPast; // a short page need not be the last one
    yield { changes, unreadable, upTo: isLast ? span.before : reading.upTo };
    if (isLast) return;
    offset += entries.length;
    if (offset >= MAX_OFFSET && reading.upTo > since) {
      since = reading.upTo;
      offset = reading.countAtUpTo;
    }
  }
}

function pathOf({ since, before }: Span, offset: number, limit: number): string {
  const query = new URLSearchParams({
    startTime: since,
    endTime: before,
    offset: String(offset),
    limit: String(limit),
    includemetadata: 'false',
  });
  return `/v2/changefeed?${query}`;
}

function entriesIn(body: unknown): readonly unknown[] {
  if (Array.isArray(body)) return body;
  throw readError('dicom', 'no-list', 'answered with JSON that is not a list of changes.');
}

function changesIn(entries: readonly unknown[], host: string): { found: FoundDicomChange[]; unreadable: number } {
  const found = entries.flatMap((entry) => changeIn(fieldsOf(entry), host) ?? []);
  return { found, unreadable: entries.length - found.length };
}

function changeIn(entry: Fields, host: string): FoundDicomChange | undefined {
  const change = CHANGES[textIn(entry, 'action')?.toLowerCase() ?? ''];
  const studyUid = textIn(entry, 'studyInstanceUid');
  const seriesUid = textIn(entry, 'seriesInstanceUid');
  const instanceUid = textIn(entry, 'sopInstanceUid');
  const version = valueIn(entry, 'sequence');
  const time = toIsoUtc(textIn(entry, 'timestamp') ?? '');
  if (!change || !studyUid || !seriesUid || !instanceUid || !isSequence(version) || time === undefined)
    return undefined;
  const partition = textIn(entry, 'partitionName') || DEFAULT_PARTITION;
  return { service: 'dicom', host, change, partition, studyUid, seriesUid, instanceUid, version, time };
}

/** The service writes names in camelCase, its documentation in PascalCase. */
function valueIn(entry: Fields, name: string): unknown {
  return entry[name] ?? entry[name.charAt(0).toUpperCase() + name.slice(1)];
}

function textIn(entry: Fields, name: string): string | undefined {
  return textOf(valueIn(entry, name));
}

function isSequence(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
