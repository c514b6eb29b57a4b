/** A length of time, made by `seconds`, `minutes` or `hours`, so that the unit is always named. */
export type Duration = { readonly ms: number };
export const seconds = (n: number): Duration => ({ ms: n * 1000 });
export const minutes = (n: number): Duration => ({ ms: n * 60_000 });
export const hours = (n: number): Duration => ({ ms: n * 3_600_000 });
