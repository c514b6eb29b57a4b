import { MAX_EVENT_BYTES } from '../events/accept.js';
import type { Counts, Report } from './pace.js';
import { MAX_REDRIVES } from './redrive.js';

export const NO_SUCH_DEAD_LETTER =
  'No dead letter has this id. Resolved dead letters are kept for RESOLVED_RETENTION_DAYS.';

/** The codes of a report in words: in short, and what follows. */
const TEXTS: Readonly<Record<keyof Counts, readonly [short: string, more?: string]>> = {
  asked: ['redrive requested', 'the app runs the job when it next reads its rows, within seconds if it is up'],
  'taken-up': ['imported', 'the app handles the events as new deliveries'],
  completed: ['completed'],
  superseded: ['superseded', 'a newer version of the resource has been handled'],
  dead: ['failed again', 'a new dead letter holds the error'],
  failing: ['failed once more', 'the app tries the job again by itself'],
  open: ['no outcome yet', 'the redrive stays in storage, and the app handles it without this command'],
  'taken-in': ['accepted', 'the payload is a valid event now, and the app handles it'],
  'invalid-again': ['still not a valid event', 'the dead letter stays'],
  discarded: ['discarded', 'moved to resolved/ with the note'],
  gone: ['not found', 'no pending dead letter has this id: it is resolved, or the id is wrong'],
  over: ['nothing to redrive', 'the job has ended, or has a newer dead letter'],
  'under-way': ['under way already', 'skipped: a redrive of the same job is not over yet'],
  'too-often': [
    'redriven too often',
    `refused: ${MAX_REDRIVES} redrives had no success. Find the cause, then redrive with force`,
  ],
  'too-large': ['too large', `refused: an event of more than ${MAX_EVENT_BYTES / 1024} KiB cannot be run`],
  unreadable: ['unreadable', 'refused: this version cannot read the blob. Export it to look at it, then discard it'],
  'not-an-event': [
    'not a valid event',
    'refused: correct the payload, or use force if the app is newer than this version',
  ],
  'another-event': ['another event id', 'refused: the corrected event must have the id of the original event'],
  'not-editable': ['not editable', "refused: Event Grid's dead letters hold several events, so none can be replaced"],
  failed: ['not done', 'storage did not do what it was asked'],
};

const STOPPED: Readonly<Record<NonNullable<Report['stopped']>, string>> = {
  failures: 'Stopped early: a larger share has failed than is allowed.',
  storage: 'Stopped early: storage keeps failing. Run the same command again for the rest.',
  'asked-to':
    'Stopped by Ctrl-C. What was requested stays in storage and goes on; run the same command again for the rest.',
};

/** Returns a report in words, the same on the command line and over HTTP. */
export function sentencesOf({ counts, stopped, errorCode, problems = [] }: Report, isDryRun: boolean): string[] {
  const found = foundIn(counts);
  return [
    ...(isDryRun ? ['Dry run: nothing was changed. Without the dry run:'] : []),
    ...(found.length === 0 && !stopped ? ['No dead letter matches.'] : []),
    ...found.map(([code, count]) => {
      const [short, more] = TEXTS[code];
      return `${count} ${count === 1 ? 'dead letter' : 'dead letters'}: ${short}${more ? ` (${more})` : ''}.`;
    }),
    ...problems.map((problem) => `${problem.id}: ${problem.message}.`),
    ...(errorCode === undefined ? [] : [`The last error of storage: ${errorCode}.`]),
    ...(stopped ? [STOPPED[stopped]] : []),
  ];
}

/** Returns the counts for a line of progress. */
export function shortTextOf(counts: Counts): string {
  return foundIn(counts)
    .map(([code, count]) => `${count} ${TEXTS[code][0]}`)
    .join(', ');
}

function foundIn(counts: Counts): [keyof Counts, number][] {
  return (Object.keys(TEXTS) as (keyof Counts)[]).flatMap((code) => {
    const count = counts[code] ?? 0;
    return count > 0 ? [[code, count] as [keyof Counts, number]] : [];
  });
}
