/** What the functions of this app were called with, for tests to look at. */
export const calls = [];

/** Resolves when a queue message has come. */
export const queued = Promise.withResolvers();

export function record(name, input, context) {
  const isMinusZero = JSON.stringify(input, (_, value) => (Object.is(value, -0) ? 'minus zero' : value));
  calls.push({ name, input: JSON.parse(isMinusZero), metadata: context?.triggerMetadata });
}
