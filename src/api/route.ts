import type * as z from 'zod';
import type { Role } from './access.js';

/** The key that a caller without a sign-in needs: none, a key of the function app, or its key `_master`. */
export type Level = 'anonymous' | 'function' | 'admin';

/** An answer by its status. */
type Answers = Readonly<Record<number, { readonly description: string; readonly schema?: z.ZodType }>>;

/** A function of the HTTP API: its address, its level, its role, and the schemas of its query, body and answers. */
export type Route = {
  readonly method: 'GET' | 'POST';
  /** The path after `/api/`. */
  readonly route: string;
  readonly authLevel: Level;
  /** The condition for a caller with a sign-in: none, the sign-in alone, or this app role. `authLevel` is for keys. */
  readonly role: 'anybody' | 'signed-in' | Role;
  readonly summary: string;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly answers: Answers;
};
