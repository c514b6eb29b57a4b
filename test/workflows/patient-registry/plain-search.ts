import { matchesAll, wordsOf, wordsOfName } from '../../../src/workflows/patient-registry/names.js';
import type { Patient } from './people.js';

export type Query = {
  readonly name?: string;
  readonly birthDate?: string;
  readonly gender?: string;
  readonly identifier?: { readonly system?: string; readonly value: string };
};

/** Returns a function that finds patients by a look at each of them: what a lookup must find. */
export function plainSearch(patients: Iterable<readonly [id: string, fields: Partial<Patient>]>) {
  const all = [...patients].map(([id, fields]) => ({
    id,
    words: (fields.name ?? []).flatMap((name) => wordsOfName(name as Parameters<typeof wordsOfName>[0])),
    birthDate: fields.birthDate ?? '',
    gender: fields.gender,
    identifiers: fields.identifier ?? [],
  }));
  return ({ name, birthDate = '', gender, identifier }: Query): string[] => {
    const wanted = wordsOf(name ?? '');
    return all
      .filter(
        (one) =>
          matchesAll(wanted, one.words) &&
          one.birthDate.startsWith(birthDate) &&
          (gender === undefined || one.gender === gender) &&
          (identifier === undefined ||
            one.identifiers.some(
              ({ system, value }) =>
                value === identifier.value && (identifier.system === undefined || system === identifier.system),
            )),
      )
      .map(({ id }) => id)
      .sort();
  };
}
