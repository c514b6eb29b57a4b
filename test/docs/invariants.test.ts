import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { changeRules } from '../model/change.model.js';
import { endRules } from '../model/end.model.js';
import { groupCommitRules } from '../model/group-commit.model.js';
import { jobRules } from '../model/job.model.js';
import { latestRules } from '../model/latest.model.js';
import { suspectRules } from '../model/suspects.model.js';
import { mutations } from '../mutations/mutations.js';

const page = readFileSync('ARCHITECTURE.md', 'utf8');
/** `mutations` and `rules` are the names of the last column: of mutations, and of rules in the model of the letter. */
const rows = [...page.matchAll(/^\| ([A-Z])(\d+) \| .* \| (.*?) ?\|$/gm)].map((found) => {
  const [, letter = '', number = '', cell = ''] = found;
  const names = cell.split(/,\s*/).filter((name) => name !== '');
  return {
    letter,
    number: Number(number),
    mutations: names.filter((name) => !name.startsWith('(')).map((name) => name.replace('*', '')),
    rules: names.filter((name) => !name.endsWith('*')).map((name) => ruleOf(letter, name.replace(/[()]/g, ''))),
  };
});
const models = [
  { letters: 'JR', rules: jobRules },
  { letters: 'L', rules: latestRules },
  { letters: 'C', rules: groupCommitRules },
  { letters: 'E', rules: endRules },
  { letters: 'S', rules: suspectRules },
  { letters: 'Q', rules: changeRules },
];
/** The folders that enforce invariants. In other folders R4 is the version of FHIR. */
const sources = ['src/pipeline', 'src/handler', 'src/storage', 'src/dead-letters', 'src/functions'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(folder, file), 'utf8')),
);

describe('when ARCHITECTURE.md lists the invariants', () => {
  it('given the numbers of the invariants, then each letter counts from 1 without a gap', () => {
    for (const letter of new Set(rows.map((row) => row.letter))) {
      const numbers = rows.filter((row) => row.letter === letter).map(({ number }) => number);
      expect({ letter, numbers }).toEqual({ letter, numbers: numbers.map((_, i) => i + 1) });
    }
  });

  it.each(models)('given the model of $letters, then the page lists each of its rules once', ({ letters, rules }) => {
    const listed = rows.filter(({ letter }) => letters.includes(letter)).map((row) => [...new Set(row.rules)]);

    expect(listed.flat().sort()).toEqual(Object.keys(rules).sort());
  });

  it('given the mutations, then the page lists each once', () => {
    const listed = rows.flatMap((row) => row.mutations);

    expect(listed.sort()).toEqual(mutations.map(({ rule }) => rule).sort());
  });

  it('given an invariant that the code cites, then the page has its number', () => {
    const known = new Set(rows.map(({ letter, number }) => `${letter}${number}`));
    const cited = sources.flatMap((text) => text.match(/\b[JLCERSTPWQI]\d{1,2}\b/g) ?? []);

    expect(cited.filter((number) => !known.has(number))).toEqual([]);
    expect(cited).toEqual(expect.arrayContaining(['L1', 'S5', 'I1', 'I3']));
  });
});

/** Returns the name of a mutation's rule in the model: without a prefix; for suspects the number of the invariant. */
function ruleOf(letter: string, name: string): string {
  return letter === 'S' ? (name.split('-')[0] ?? '') : name.replace(/^(latest|commit|end|change)-/, '');
}
