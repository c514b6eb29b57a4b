import type * as z from 'zod';
import type { WorkflowTable } from './context.js';
import type { Setting } from './setup.js';

/** Read-only access to a workflow's tables, and the settings. */
export type LookupContext = {
  readonly tables: (name: string) => Pick<WorkflowTable, 'get' | 'list'>;
  readonly setting: Setting;
};

/**
 * A lookup that people make in a workflow's tables: `POST /api/lookups/{name}` with a JSON body, if `LOOKUPS` is on.
 * Use `lookup` to make one, since that function keeps the type of the query.
 */
export type Lookup = {
  /** 1 to 31 characters of a-z, 0-9 and '-', a letter first. */
  readonly name: string;
  /** The schema of the body. Errors give path and reason, without values. */
  readonly query: z.ZodType;
  /** Returns the body of the answer. The answer may hold clinical data; none of it is logged. */
  answer(query: unknown, context: LookupContext): Promise<Readonly<Record<string, unknown>>>;
};

/** Returns a `Lookup` whose `answer` gets the type that `query` parses to. */
export function lookup<Q extends z.ZodType>(options: {
  name: string;
  query: Q;
  answer(query: z.output<Q>, context: LookupContext): Promise<Readonly<Record<string, unknown>>>;
}): Lookup {
  return options as Lookup;
}
