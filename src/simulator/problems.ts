import * as z from 'zod';

/** A wrong place in a request: its path, and the expected value. */
export type Problem = { readonly path: string; readonly message: string };

type Issue = z.core.$ZodIssue;

/** Returns the schema of an object that has no other properties. */
export function strict<S extends z.ZodRawShape>(shape: S) {
  const unknown = `is not known here, must be one of ${Object.keys(shape).join(', ')}`;
  return z.strictObject(shape, { error: ({ code }) => (code === 'unrecognized_keys' ? unknown : undefined) });
}

/** Returns each problem that zod found, with a path such as `chaos.delays`. `before` begins each path. */
export function problemsIn({ issues }: { readonly issues: readonly Issue[] }, before: Issue['path'] = []): Problem[] {
  return issues.flatMap((issue) => {
    const path = [...before, ...issue.path];
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ path: [...path, key].join('.'), message: issue.message }));
    }
    // The intended option of a union has an error deeper inside, which says more than that no option fits.
    const meant = issue.code === 'invalid_union' ? issue.errors.find((inner) => inner.every(isInside)) : undefined;
    if (meant) return problemsIn({ issues: meant }, path);
    return [{ path: path.join('.') || '(body)', message: issue.message }];
  });
}

function isInside({ code, path }: Issue): boolean {
  return path.length > 0 || code === 'unrecognized_keys';
}
