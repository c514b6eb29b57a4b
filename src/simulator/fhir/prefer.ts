import { invalid } from './content/outcome.js';

/** The wishes of a client in the header Prefer. */
export type Prefer = {
  /** The content that the answer to a write should have. */
  readonly returns: 'minimal' | 'representation' | 'operationoutcome';
  /** True if parameters that are not supported are errors. */
  readonly isStrict: boolean;
};

const RETURNS = ['minimal', 'representation', 'OperationOutcome'];
const HANDLINGS = ['strict', 'lenient'];

/** Throws a FhirError for an unknown preference. */
export function readPrefer(header: string | null): Prefer {
  const given = (header ?? '')
    .split(/[,;]/)
    .map((one) => one.split('=', 2).map((part) => part.trim().replaceAll('"', '')));
  const returns = preferenceFor(given, 'return', RETURNS) ?? 'representation';
  return { returns: returns as Prefer['returns'], isStrict: preferenceFor(given, 'handling', HANDLINGS) === 'strict' };
}

function preferenceFor(given: readonly string[][], name: string, values: readonly string[]): string | undefined {
  const preference = given.find(([found]) => found?.toLowerCase() === name);
  if (!preference) return undefined;
  const value = preference[1] ?? '';
  if (values.some((one) => one.toLowerCase() === value.toLowerCase())) return value.toLowerCase();
  throw invalid(`The '${name}' value '${value}' of Prefer is not one of ${values.join(', ')}.`);
}
