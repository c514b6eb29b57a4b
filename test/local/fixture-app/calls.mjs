/** The calls of this app's functions with their arguments, for tests to read. */
export const calls = [];

/** Resolves when a queue message has come. */
export const queued = Promise.withResolvers();

export function record(name, input, context) {
  const isMinusZero = JSON.stringify(input, (_, value) => (Object.is(value, -0) ? 'minus zero' : value));
  calls.push({ name, input: JSON.parse(isMinusZero), metadata: context?.triggerMetadata });
}
