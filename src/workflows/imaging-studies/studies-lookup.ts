import * as z from 'zod';
import { type LookupContext, lookup, neighboursOf, PARTITIONS, type Row } from '../../workflow.js';
import { describeStudy } from './study-row.js';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;
const READ_AT_ONCE = 50;

/** Returns a study by its UID, from every service and partition that holds it; or the arriving studies. */
export const studiesLookup = lookup({
  name: 'studies',
  query: z.union(
    [
      z.strictObject({ studyUid: z.string().min(1).max(1024) }),
      z.strictObject({
        status: z.literal('arriving'),
        limit: z.int().min(1).max(MAX_LIMIT).default(DEFAULT_LIMIT),
      }),
    ],
    { error: `must be {"studyUid"}, a text, or {"status":"arriving"}, with a "limit" of 1 to ${MAX_LIMIT} if need be` },
  ),
  async answer(query, { tables }) {
    const rows =
      'studyUid' in query ? await listByUid(query.studyUid, tables) : await listArriving(query.limit, tables);
    return { studies: rows.map(describeStudy) };
  },
});

async function listByUid(studyUid: string, tables: LookupContext['tables']): Promise<Row[]> {
  const { partition, prefix } = neighboursOf(studyUid);
  const found = await tables('studies').list(partition, { from: prefix, to: `${prefix}~` });
  return found.map(({ row }) => row);
}

/** Reads each study, because a row in `openstudies` may be of a study that has just settled. */
async function listArriving(limit: number, tables: LookupContext['tables']): Promise<Row[]> {
  const found: Row[] = [];
  for (const partition of PARTITIONS) {
    const open = await tables('openstudies').list(partition, { limit: Number.POSITIVE_INFINITY });
    while (open.length > 0 && found.length < limit) {
      const some = open.splice(0, Math.min(READ_AT_ONCE, limit - found.length));
      const studies = await Promise.all(some.map(({ key }) => tables('studies').get(partition, key)));
      found.push(...studies.flatMap((study) => (study?.status === 'arriving' ? [study] : [])));
    }
    if (found.length >= limit) break;
  }
  return found;
}
