import type { FeedEntry } from './change-feed.js';
import { checkImage, problem, REASON, uidsOf } from './check-image.js';
import { firstText, TAG } from './dataset.js';
import type { ImageStore } from './image-store.js';
import { readPart10 } from './read-part10.js';
import { toDataset } from './to-dataset.js';

/**
 * The result for one file. `problems` are sentences in the words of the service. The UIDs are as far as they can be
 * read.
 */
export type Stored = {
  readonly sopClassUid: string;
  readonly instanceUid: string;
  readonly problems: readonly string[];
} & (
  | { readonly status: 'stored'; readonly entry: FeedEntry; readonly isImplicit: boolean }
  | { readonly status: 'duplicate' | 'refused'; readonly reason: number }
);

const FULL = 'The memory of the simulator is full: delete studies, or start the simulator afresh.';

/** Stores a PS3.10 file. If the file is refused, the result says why, and nothing has changed. Never throws. */
export function storeImage(
  file: Uint8Array,
  { store, partition, studyUid }: { store: ImageStore; partition: string; studyUid?: string | undefined },
): Stored {
  const part10 = readPart10(file);
  if ('problem' in part10) return refuseFile(REASON.validation, [`DICOM100: ${part10.problem}`]);
  const dataset = toDataset(part10);
  const uids = uidsOf(dataset);
  const names = { instanceUid: uids.instanceUid, sopClassUid: firstText(dataset, TAG.sopClassUid) };
  const { reason, problems, wrong } = checkImage(dataset, studyUid);
  if (reason !== undefined) return refuseFile(reason, problems, names);

  const added = store.add(partition, { uids, dataset, transferSyntax: part10.transferSyntax, file, wrong });
  if (added === 'full') return refuseFile(REASON.processing, [problem(TAG.instanceUid, FULL)], names);
  if (added === 'exists') return { status: 'duplicate', reason: REASON.exists, problems: [], ...names };
  return { status: 'stored', entry: added, isImplicit: !part10.isExplicit, problems, ...names };
}

/** Returns the result for a file that is not stored. */
export function refuseFile(
  reason: number,
  problems: readonly string[],
  names = { instanceUid: '', sopClassUid: '' },
): Stored {
  return { status: 'refused', reason, problems, ...names };
}
