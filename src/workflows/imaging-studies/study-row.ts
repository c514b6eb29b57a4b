import { type DicomEvent, digest, type Row } from '../../workflow.js';

/** What the rows of a study's images come to. */
export type Summary = {
  readonly instances: number;
  readonly series: number;
  /** Sorted, with commas between. */
  readonly modalities: string;
  /** When the first and the last of the images that are there were created, by the events; '' where nobody knows. */
  readonly firstSeenAt: string;
  readonly lastSeenAt: string;
  /** A digest of all that was looked at: another one as soon as anything has arrived, none that has been before. */
  readonly seen: string;
};

//   status     what holds                                    what ends it
//   arriving   something has arrived                         STUDY_QUIET_MINUTES without anything; its last image is deleted
//   settled    nothing has arrived for that long             anything that arrives
//   deleted    none of its images is left                    an image
//
// revision   goes up with every write; a write is on condition of the one that was read
// period     the revision at which it last began to arrive: the row in `openstudies` must be of it, or a later one
// isListed   that such a row has been seen or written in this period. It stays until the period is over
export type StudyStatus = 'arriving' | 'settled' | 'deleted';

export type StudyRow = Row & Summary & { status: StudyStatus; revision: number; period: number; isListed: boolean };

export function summarize(rows: readonly { key: string; row: Row }[]): Summary {
  const living = rows.filter(({ row }) => row.change !== 'deleted');
  const createdAt = distinct(living.map(({ row }) => row.createdAt));
  return {
    instances: living.length,
    series: distinct(living.map(({ row }) => row.seriesUid)).length,
    modalities: distinct(living.map(({ row }) => row.modality)).join(','),
    firstSeenAt: createdAt[0] ?? '',
    lastSeenAt: createdAt.at(-1) ?? '',
    seen: digest(JSON.stringify(rows.map(({ key, row }) => [key, row.eventKey, row.createdKey ?? '', row.modality]))),
  };
}

/** The row after a count. What is counted again without anything new leaves the status as it was. */
export function afterCounting(study: DicomEvent, before: Row | undefined, summary: Summary): StudyRow {
  const { host, partition, studyUid } = study;
  const isNew = before?.seen !== summary.seen;
  const status = isNew || before === undefined ? statusOf(summary) : (before.status as StudyStatus);
  const revision = revisionOf(before) + 1;
  const isSamePeriod = status !== 'arriving' || before?.status === 'arriving';
  return {
    host,
    dicomPartition: partition,
    studyUid,
    ...summary,
    status,
    revision,
    period: isSamePeriod ? periodOf(before) : revision,
    isListed: isSamePeriod && before?.isListed === true,
  };
}

/** The row once nothing has arrived for long enough; 'keep' where something has since `seen`. */
export function afterQuiet(current: Row | undefined, seen: string): Row | 'keep' {
  if (current?.status !== 'arriving' || current.seen !== seen) return 'keep';
  return { ...current, status: 'settled', revision: revisionOf(current) + 1 };
}

export function revisionOf(row: Row | undefined): number {
  return Number(row?.revision ?? 0);
}

export function periodOf(row: Row | undefined): number {
  return Number(row?.period ?? 0);
}

/** As people are told of it. */
export function describeStudy({ revision: _, period: _2, isListed: _3, seen: _4, ...shown }: Row): Row {
  return shown;
}

function statusOf({ instances }: Summary): StudyStatus {
  return instances > 0 ? 'arriving' : 'deleted';
}

function distinct(values: readonly unknown[]): string[] {
  return [...new Set(values.map((value) => String(value ?? '')))].filter((value) => value !== '').sort();
}
