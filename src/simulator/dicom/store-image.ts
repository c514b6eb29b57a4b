import type { FeedEntry } from './change-feed.js';
import { checkImage, problem, REASON, type Uids } from './check-image.js';
import { firstText, TAG } from './dataset.js';
import type { ImageStore } from './image-store.js';
import { readPart10 } from './read-part10.js';
import { toDataset } from './to-dataset.js';

/** The result for one file. `problems` are sentences in the words of the service. */
export type Stored =
  | {
      readonly status: 'stored';
      readonly entry: FeedEntry;
      readonly sopClassUid: string;
      readonly isImplicit: boolean;
      readonly problems: readonly string[];
    }
  | { readonly status: 'duplicate'; readonly uids: Uids; readonly sopClassUid: string }
  | {
      readonly status: 'refused';
      readonly reason: number;
      readonly problems: readonly string[];
      /** As far as they could be read. */
      readonly instanceUid: string;
      readonly sopClassUid: string;
    };

/** Stores a file of PS3.10, or says why not; then nothing has changed. Never throws. */
export function storeImage(
  file: Uint8Array,
  { store, partition, studyUid }: { store: ImageStore; partition: string; studyUid?: string | undefined },
): Stored {
  const part10 = readPart10(file);
  if ('problem' in part10) return refused(REASON.validation, [`DICOM100: ${part10.problem}`]);
  const dataset = toDataset(part10);
  const names = { instanceUid: firstText(dataset, TAG.instanceUid), sopClassUid: firstText(dataset, TAG.sopClassUid) };
  const check = checkImage(dataset, studyUid);
  if (check.kind === 'refused') return refused(check.reason, check.problems, names);

  const { uids, wrong, problems } = check;
  const { sopClassUid } = names;
  const added = store.add(partition, { uids, dataset, transferSyntax: part10.transferSyntax, file, wrong });
  switch (added.kind) {
    case 'added':
      return { status: 'stored', entry: added.entry, sopClassUid, isImplicit: !part10.isExplicit, problems };
    case 'exists':
      return { status: 'duplicate', uids, sopClassUid };
    case 'full':
      return refused(REASON.processing, [problem(TAG.instanceUid, FULL)], names);
    default:
      throw new TypeError(`unhandled ${JSON.stringify(added satisfies never)}`);
  }
}

const FULL = 'The memory of the simulator is full: delete studies, or start the simulator afresh.';

function refused(
  reason: number,
  problems: readonly string[],
  names: { instanceUid: string; sopClassUid: string } = { instanceUid: '', sopClassUid: '' },
): Stored {
  return { status: 'refused', reason, problems, ...names };
}
