import { type Context, type DicomEvent, RetryAfterError, seconds } from '../../workflow.js';
import { isListedOpen, listAsOpen } from './open-studies.js';
import { studyPlaceOf } from './places.js';
import { afterCounting, periodOf, revisionOf, summarize } from './study-row.js';

/** A job waits when the counts of other processes have overtaken its own this often. */
const MAX_OVERTAKEN = 20;

// A count reads the study's row, lists the rows of its images, and writes the study's row on condition that its
// revision has not changed. A handler is done when a count is written whose list began after the handler's own write.
//
// The last write has seen every image row. Proof: a handler writes an image's row, and count K lists that row and
// writes revision k. Each later revision comes from a count that read revision k or later, so its list began after the
// image's row was written. Rows are never removed, so that list has the row. An earlier count finds another revision
// and starts again.
//
//   process dies before the study's row is written    the next try finds the image's row as it is, and counts again
//   process dies before the row in `openstudies`      `isListed` is unset in the study's row: the next count writes it
//
// Each arriving study has a row in `openstudies` of its period or a later one: a job that writes `arriving` ends only
// when the row exists. The timer removes a row only after it has read, later than the row, that the study is not
// arriving. The next period is higher and writes a row of its own, which the timer's condition does not match.

/**
 * Counts the images of the event's study and writes its row.
 * @param close called when the list begins: a caller that arrives later is not in the list.
 */
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
    // A row can exist only for a period that has begun.
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
    if (after.status === 'arriving' && !after.isListed) await listAsOpen(tables, place, after.period);
    return;
  }
  throw new RetryAfterError('Other processes kept counting the images of this study.', seconds(5), {
    code: 'overtaken',
  });
}
