import { afterApplying, appliedOfRow, type DicomEvent, orderOf, type Row, rowOfApplied } from '../../workflow.js';

// A row of `studyinstances` holds the newest of two things, each in an order of its own, so that it ends the same in
// whatever order events come, and however often:
//   the newest event       whether the image is there; by the rule of `ordering: 'latest'`
//   the newest Created     when it came; also where that arrives after an Updated or a Deleted of the same image

/**
 * What the row of an image becomes. `modality` is that of its series where it was found: a row keeps what it has where
 * nothing was.
 */
export function afterEvent(
  event: DicomEvent,
  eventKey: string,
  modality: string | undefined,
  current: Row | undefined,
): Row | 'keep' {
  const newest = current && appliedOfRow(current);
  const creation = current && creationOfRow(current);
  const isNewest = orderOf(event, eventKey, newest) === 'newer';
  const isNewestCreation = event.change === 'created' && orderOf(event, eventKey, creation) === 'newer';
  if (!isNewest && !isNewestCreation) return 'keep';
  const { seriesUid, instanceUid, change, version, time = '' } = event;
  return {
    modality: '',
    ...current,
    seriesUid,
    instanceUid,
    ...(isNewest && { change, ...rowOfApplied(afterApplying(event, eventKey, newest)) }),
    ...(isNewest && modality && { modality }),
    ...(isNewestCreation && { createdAt: time, createdVersion: version, createdKey: eventKey }),
  };
}

function creationOfRow({ createdAt = '', createdVersion, createdKey = '' }: Row) {
  if (createdVersion === undefined) return undefined;
  return appliedOfRow({ version: createdVersion, time: createdAt, eventKey: createdKey });
}
