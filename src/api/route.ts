import type * as z from 'zod';
import type { Role } from './access.js';

/** Callers with keys that are let in: all, those with a function key, those with the key `_master`. */
export type Level = 'anonymous' | 'function' | 'admin';

/** An answer by its status. */
type Answers = Readonly<Record<number, { readonly description: string; readonly schema?: z.ZodType }>>;

/** A function of the HTTP API: the one place that states its address, its level, what it takes and what it answers. */
export type Route = {
  readonly method: 'GET' | 'POST';
  /** The path after `/api/`. */
  readonly route: string;
  readonly authLevel: Level;
  /** The role of callers with a sign-in that are let in: all, each that has signed in, or an app role. For keys: `authLevel`. */
  readonly role: 'anybody' | 'signed-in' | Role;
  readonly summary: string;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly answers: Answers;
};
