import { groupDeadLetters } from '../../dead-letters/group.js';
import { numberOf, OptionError } from '../options.js';
import { type Output, writeTo } from '../output.js';
import { createProgress } from '../progress.js';
import type { Open } from './connect.js';
import { filterOf, groupingsOf, type VerbArguments } from './options.js';
import { countText, tableOfDeadLetters, tableOfGroups } from './output.js';

/** A person reads no more on a terminal. */
const DEFAULT_LISTED = 100;
/** `list` holds up to twice as many in memory: 200,000 need about 200 MB. */
const MAX_LISTED = 100_000;
const MAX_GROUPED = 10_000_000;

/** Writes the newest dead letters, or with --by the counts by cause. Returns the exit code 0. */
export async function list({ values, ids }: VerbArguments, open: Open, { out, err }: Output): Promise<number> {
  if (ids.length > 0) throw new OptionError(`list takes no id. Use show ${ids[0]} for one dead letter.`);
  const listing = { ...filterOf(values), isResolved: values.resolved === true };
  const by = groupingsOf(values);
  const limit = numberOf(values, 'limit', { from: 1, to: by ? MAX_GROUPED : MAX_LISTED });
  const max = Math.floor(limit ?? (by ? MAX_GROUPED : values.json ? MAX_LISTED : DEFAULT_LISTED));
  const source = await open();
  const kind = listing.isResolved ? 'resolved' : '';

  if (by) {
    const { groups, letters, isMore } = await groupDeadLetters(source.list(listing), by, max);
    if (letters === 0) await source.refuseUnknownNames(listing);
    if (values.json) for (const group of groups) await writeTo(out, `${JSON.stringify(group)}\n`);
    else if (groups.length > 0) await writeTo(out, tableOfGroups(groups, by));
    if (!values.json)
      await writeTo(out, `${countText(letters, letters, kind)}${isMore ? ', and there are more' : ''}\n`);
    return 0;
  }
  const progress = createProgress<number>(err, { describe: (count) => `${count} dead letters read` });
  const { letters, all } = await source.newest(listing, { max, onCount: progress.show }).finally(progress.end);
  if (all === 0) await source.refuseUnknownNames(listing);
  if (values.json) for (const letter of letters) await writeTo(out, `${JSON.stringify(letter)}\n`);
  else if (letters.length > 0) await writeTo(out, tableOfDeadLetters(letters, out.isTTY ? out.columns : undefined));
  const isMore = letters.length < all;
  const more = isMore
    ? `, the newest first. --limit N lists up to ${MAX_LISTED}; export writes all that are pending.`
    : '';
  const text = `${countText(letters.length, all, kind)}${more}\n`;
  if (!values.json) await writeTo(out, text);
  else if (isMore) await writeTo(err, text);
  return 0;
}
