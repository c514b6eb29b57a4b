import type { z } from 'zod';

/** What is wrong with something that was sent: where in it, and why. */
export type Problem = { readonly path: string; readonly message: string };

export function problemsIn({ issues }: z.ZodError): Problem[] {
  return issues.map(({ path, message }) => ({ path: path.join('.') || '(body)', message }));
}
