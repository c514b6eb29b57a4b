import { systemClock as clock } from '../../clock.js';
import { groupLetters } from '../../dead-letters/group.js';
import { lettersOf } from '../../dead-letters/list.js';
import { newestLetters } from '../../dead-letters/newest.js';
import { createProgress } from '../progress.js';
import type { Open } from './connect.js';
import { type Asked, filterOf, groupingsOf, numberOf, OptionError } from './options.js';
import { countText, type Output, tableOfGroups, tableOfLetters, writeTo } from './output.js';
import { refuseUnknownNames } from './unknown-name.js';

/** On a terminal, more can be read by nobody. */
const USUAL_LETTERS = 100;
/** The newest are found by holding twice as many: 200,000 need some 200 MB. */
export const MAX_LISTED = 100_000;
const MOST_GROUPED = 10_000_000;

export async function list({ values, ids }: Asked, open: Open, { out, err }: Output): Promise<number> {
  if (ids.length > 0) throw new OptionError(`list takes no id. Use show ${ids[0]} for one dead letter.`);
  const listing = { ...filterOf(values), isResolved: values.resolved === true };
  const by = groupingsOf(values);
  const limit = numberOf(values, 'limit', { from: 1, to: by ? MOST_GROUPED : MAX_LISTED });
  const most = Math.floor(limit ?? (by ? MOST_GROUPED : values.json ? MAX_LISTED : USUAL_LETTERS));
  const desk = await open();
  const kind = listing.isResolved ? 'resolved' : '';

  if (by) {
    const { groups, letters, isMore } = await groupLetters(lettersOf(desk, listing), by, most);
    if (letters === 0) await refuseUnknownNames(listing, desk);
    if (values.json) for (const group of groups) await writeTo(out, `${JSON.stringify(group)}\n`);
    else if (groups.length > 0) await writeTo(out, tableOfGroups(groups, by));
    if (!values.json)
      await writeTo(out, `${countText(letters, letters, kind)}${isMore ? ', and there are more' : ''}\n`);
    return 0;
  }
  const progress = createProgress<number>(err, {
    now: clock.monotonic,
    describe: (count) => `${count} dead letters read`,
  });
  const { letters, all } = await newestLetters(desk, listing, { most, onCount: progress.show }).finally(progress.end);
  if (all === 0) await refuseUnknownNames(listing, desk);
  if (values.json) for (const letter of letters) await writeTo(out, `${JSON.stringify(letter)}\n`);
  else if (letters.length > 0) await writeTo(out, tableOfLetters(letters, out.isTTY ? out.columns : undefined));
  const isMore = letters.length < all;
  const more = isMore
    ? `, the newest first. --limit N lists up to ${MAX_LISTED}; export writes all that are pending.`
    : '';
  const text = `${countText(letters.length, all, kind)}${more}\n`;
  if (!values.json) await writeTo(out, text);
  else if (isMore) await writeTo(err, text);
  return 0;
}
