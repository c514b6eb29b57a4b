import type { z } from 'zod';

/** Who may call: anybody, a holder of a function key, a holder of the key `_master`. */
export type Level = 'anonymous' | 'function' | 'admin';

/** An answer by its status. */
export type Answers = Readonly<Record<number, { readonly description: string; readonly schema?: z.ZodType }>>;

/** A function of the HTTP API: the one place that states its address, its level, what it takes and what it answers. */
export type Route = {
  readonly method: 'GET' | 'POST';
  /** After `/api/`. */
  readonly route: string;
  readonly authLevel: Level;
  readonly summary: string;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly answers: Answers;
};
