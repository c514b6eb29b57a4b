import { type Context, type DicomEvent, RetryAfterError, seconds } from '../../workflow.js';
import { isListedOpen, open } from './open-studies.js';
import { studyPlaceOf } from './places.js';
import { afterCounting, periodOf, revisionOf, summarize } from './study-row.js';

/** Others are ahead each time: somebody's count is written, and has seen all that this one would. */
const MAX_OVERTAKEN = 20;

// A count reads the study's row, then lists the rows of its images, then writes the study's row on condition that its
// revision is still the one it has read. A handler is done when a count that began its list after the handler's own
// write has been written.
//
// Why the last write has seen everything: let a handler have written an image's row, and a count K that has listed it
// have written revision k. Whoever writes a later revision has read revision k or one after it, and has listed after
// that, so after the image's row was written; rows are never removed, so it has listed it, or what it has become since.
// A count that began earlier finds another revision than it has read, and begins anew.
//
//   dies before the study's row is written   the next try of the job finds the image's row as it is, and counts again
//   dies before the row in `openstudies`     the same: `isListed` is not in the study's row, so the next count sees to it
//
// No study arrives for ever: who writes `arriving` is done when `openstudies` has a row of that period or a later one.
// The timer removes a row only after it has seen, later than it has read the row, that the study does not arrive; the
// next period is above the row's, and gets a row of its own, which the timer's condition does not fit.

/** Writes what there is of the event's study into its row. @param close called when the list begins: who comes later is not in it. */
export async function recount(
  event: DicomEvent,
  { tables }: Pick<Context, 'tables'>,
  close: () => void,
): Promise<void> {
  const place = studyPlaceOf(event);
  const { partition, key } = place;
  for (let overtaken = 0; overtaken < MAX_OVERTAKEN; overtaken += 1) {
    const before = await tables('studies').get(partition, key);
    close();
    const rows = await tables('studyinstances').list(key, { limit: Number.POSITIVE_INFINITY });
    const counted = afterCounting(event, before, summarize(rows));
    // Only of a period that has begun can there be a row.
    const mayBeListed = counted.status === 'arriving' && counted.period === periodOf(before) && !counted.isListed;
    const after = mayBeListed ? { ...counted, isListed: await isListedOpen(tables, place, counted.period) } : counted;
    let isWritten = false;
    await tables('studies').change(
      partition,
      key,
      (current) => {
        isWritten = revisionOf(current) === revisionOf(before);
        return isWritten ? after : 'keep';
      },
      before ? {} : { expect: 'absent' },
    );
    if (!isWritten) continue;
    if (after.status === 'arriving' && !after.isListed) await open(tables, place, after.period);
    return;
  }
  throw new RetryAfterError('Others count the images of this study all the time.', seconds(5), { code: 'overtaken' });
}
