import type { Call } from './call.js';
import { refuse } from './content/outcome.js';

export type ReturnPreference = 'minimal' | 'representation' | 'operationoutcome';

const RETURNS: readonly string[] = ['minimal', 'representation', 'OperationOutcome'];
const HANDLINGS: readonly string[] = ['strict', 'lenient'];

/** The content that the answer to a write should have. Throws a FhirError for an unknown preference. */
export function returnPreference(call: Pick<Call, 'header'>): ReturnPreference {
  return readPreference(call, 'return', RETURNS, 'representation') as ReturnPreference;
}

/** Whether parameters that are not supported are errors. */
export function isStrict(call: Pick<Call, 'header'>): boolean {
  return readPreference(call, 'handling', HANDLINGS, 'lenient') === 'strict';
}

function readPreference(
  { header }: Pick<Call, 'header'>,
  name: string,
  values: readonly string[],
  fallback: string,
): string {
  for (const preference of (header('prefer') ?? '').split(/[,;]/)) {
    const [found = '', value = ''] = preference.split('=', 2).map((part) => part.trim().replaceAll('"', ''));
    if (found.toLowerCase() !== name) continue;
    const known = values.find((one) => one.toLowerCase() === value.toLowerCase());
    if (known === undefined)
      throw refuse(400, 'invalid', `The '${name}' value '${value}' of Prefer is not one of ${values.join(', ')}.`);
    return known.toLowerCase();
  }
  return fallback;
}
