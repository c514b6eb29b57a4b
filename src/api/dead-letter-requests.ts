import * as z from 'zod';
import type { After } from '../dead-letters/list.js';
import { FILTER_FIELDS, type FilterField, LISTED_STAGES } from '../dead-letters/listed.js';
import { fullType } from '../events/kinds.js';

/** The limit of a page, and of the changes of one request: the answer must come within minutes. */
const MAX_PAGE = 1000;
const DEFAULT_PAGE = 100;
const MAX_TEXT_CHARACTERS = 4096;
/** Properties whose wrong values an answer may quote, because none can hold patient data. */
export const QUOTABLE = ['stage', 'from', 'to', 'limit', 'by', 'resolved', 'dryRun', 'force'];

const text = z.string().min(1).max(MAX_TEXT_CHARACTERS);
const instant = z.iso.datetime({ offset: true }).transform((at) => new Date(at));
/** The value `(none)` of a reason, workflow, error, frame or resource type selects dead letters without one. */
const filter = z.strictObject({
  stage: z.enum(LISTED_STAGES).optional(),
  reason: text.optional(),
  workflow: text.optional(),
  error: text.optional(),
  frame: text.optional(),
  type: text.transform(fullType).optional(),
  resourceType: text.optional(),
  from: instant.optional(),
  to: instant.optional(),
});
const after = z.string().max(MAX_TEXT_CHARACTERS).transform(decodeAfter);
const groupings = z
  .string()
  .transform((by) => by.split(','))
  .refine((by): by is FilterField[] => by.every(isFilterField), 'not-fields');
export const listQuery = filter.extend({
  limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(DEFAULT_PAGE),
  after: after.optional(),
  /** The end of the list, as in the groups. */
  until: after.optional(),
  by: groupings.optional(),
  /** Lists resolved dead letters instead of pending ones. */
  resolved: z.enum(['true', 'false']).default('false'),
});
const ids = z.array(text).min(1).max(MAX_PAGE);
const limit = z.number().int().min(1).max(MAX_PAGE).default(DEFAULT_PAGE);
const chosen = {
  ids: ids.optional(),
  filter: filter.optional(),
  limit,
  after: after.optional(),
  dryRun: z.boolean().default(false),
};
export const redriveBody = z
  .strictObject({ ...chosen, force: z.boolean().default(false), event: z.record(z.string(), z.unknown()).optional() })
  .refine(isOneChoice, { path: ['ids'], message: 'ids-or-filter' })
  .refine(({ event, ids }) => event === undefined || ids?.length === 1, { path: ['event'], message: 'for-one-id' });
export const discardBody = z
  .strictObject({ ...chosen, why: text })
  .refine(isOneChoice, { path: ['ids'], message: 'ids-or-filter' });

/** The dead letters that a body selects: by ids, or by a filter. */
export type Chosen = Readonly<Pick<z.output<typeof discardBody>, keyof typeof chosen>>;

function isFilterField(name: string): name is FilterField {
  return (FILTER_FIELDS as readonly string[]).includes(name);
}

function isOneChoice(of: { ids?: unknown; filter?: unknown }): boolean {
  return (of.ids === undefined) !== (of.filter === undefined);
}

const AFTER = z.object({ stage: z.enum(LISTED_STAGES), page: z.string().optional(), name: z.string() });

/** Returns the text with which a caller gets the next page. */
export function encodeAfter(after: After): string {
  return Buffer.from(JSON.stringify(after)).toString('base64url');
}

function decodeAfter(encoded: string, context: z.RefinementCtx): After {
  try {
    return AFTER.parse(JSON.parse(Buffer.from(encoded, 'base64url').toString()));
  } catch {
    context.addIssue({ code: 'custom', message: 'not-of-a-list' });
    return z.NEVER;
  }
}
