import { type DicomEvent, digest, type Row } from '../../workflow.js';

/** The contents of a study, computed from the rows of its images. */
type Summary = {
  readonly instances: number;
  readonly series: number;
  /** Sorted, separated by commas. */
  readonly modalities: string;
  /** The times at which the first and the last of the existing images were created, by the events; '' if unknown. */
  readonly firstSeenAt: string;
  readonly lastSeenAt: string;
  /** A digest of all image rows: changes with every arrival, and never returns to an earlier value. */
  readonly seen: string;
};

//   status     what holds                              what ends it
//   arriving   an event has arrived                    STUDY_QUIET_MINUTES without events; the last image is deleted
//   settled    nothing has arrived for that long       any event
//   deleted    no image is left                        an image
//
//   revision   rises with every write; each write is on condition of the revision that was read
//   period     the revision at which the study last began to arrive: its row in `openstudies` has this period or later
//   isListed   that row was seen or written in this period. Stays set until the period ends
type StudyStatus = 'arriving' | 'settled' | 'deleted';

/** A row of table `studies`. */
type StudyRow = Row & Summary & { status: StudyStatus; revision: number; period: number; isListed: boolean };

/** Returns the contents of a study. `rows` are the rows of its images, deleted images included. */
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

/** Returns the row after a count. A count without news keeps the status. */
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

/** Returns the row after the quiet period; 'keep' if an event has arrived since `seen`. */
export function afterQuiet(current: Row | undefined, seen: string): Row | 'keep' {
  if (current?.status !== 'arriving' || current.seen !== seen) return 'keep';
  return { ...current, status: 'settled', revision: revisionOf(current) + 1 };
}

/** Returns 0 for a study without a row. */
export function revisionOf(row: Row | undefined): number {
  return Number(row?.revision ?? 0);
}

/** Returns the period of a row in `studies` or `openstudies`; 0 without a row. */
export function periodOf(row: Row | undefined): number {
  return Number(row?.period ?? 0);
}

/** Returns the columns that a lookup shows. */
export function describeStudy({ revision: _, period: _2, isListed: _3, seen: _4, ...shown }: Row): Row {
  return shown;
}

function statusOf({ instances }: Summary): StudyStatus {
  return instances > 0 ? 'arriving' : 'deleted';
}

function distinct(values: readonly unknown[]): string[] {
  return [...new Set(values.map((value) => String(value ?? '')))].filter((value) => value !== '').sort();
}
