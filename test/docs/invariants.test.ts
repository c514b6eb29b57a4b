import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mutations } from '../mutations/mutations.js';

const page = readFileSync('ARCHITECTURE.md', 'utf8');
const invariants = [...page.matchAll(/^\| ([A-Z])(\d+) \| .* \|$/gm)].map(([, letter = '', number = '']) => ({
  letter,
  number: Number(number),
}));
const known = invariants.map(({ letter, number }) => `${letter}${number}`);
/** The folders that enforce invariants. In other folders R4 is the version of FHIR. */
const sources = ['src/pipeline', 'src/handler', 'src/storage', 'src/dead-letters', 'src/functions'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(folder, file), 'utf8')),
);

describe('when ARCHITECTURE.md lists the invariants', () => {
  it('given the numbers of the invariants, then each letter counts from 1 without a gap', () => {
    for (const letter of new Set(invariants.map((one) => one.letter))) {
      const numbers = invariants.filter((one) => one.letter === letter).map(({ number }) => number);
      expect({ letter, numbers }).toEqual({ letter, numbers: numbers.map((_, i) => i + 1) });
    }
  });

  it('given the mutations, then the page has their invariants, and names those without a mutation', () => {
    const mutated = new Set(mutations.map(({ rule }) => rule.split(' ')[0] ?? ''));
    const [, without = ''] = /no mutations for ([^.]*)\./.exec(page.replaceAll('\n', ' ')) ?? [];

    expect([...mutated].filter((number) => !known.includes(number))).toEqual([]);
    expect(known.filter((number) => !mutated.has(number)).sort()).toEqual(without.match(/[A-Z]\d+/g));
  });

  it('given an invariant that the code cites, then the page has its number', () => {
    const cited = sources.flatMap((text) => text.match(/\b[JLCERSTPWQI]\d{1,2}\b/g) ?? []);

    expect(cited.filter((number) => !known.includes(number))).toEqual([]);
    expect(cited).toEqual(expect.arrayContaining(['L1', 'S5', 'I1', 'I3']));
  });
});
