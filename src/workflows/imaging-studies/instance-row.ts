import { afterApplying, appliedOfRow, type DicomEvent, orderOf, type Row, rowOfApplied } from '../../workflow.js';

// A row of `studyinstances` holds the newest of two kinds of events. Each kind has its own order, so the row ends the
// same in any order of arrival and with any duplicates:
//   newest event     whether the image exists; by the rule of `ordering: 'latest'`
//   newest Created   when the image was created; also if Created arrives after Updated or Deleted of the same image

/**
 * Returns the row of an image after `event`. `modality` is that of the image's series; if it is undefined, the row
 * keeps its modality.
 */
export function afterEvent(
  event: DicomEvent,
  current: Row | undefined,
  { eventKey, modality }: { eventKey: string; modality: string | undefined },
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
