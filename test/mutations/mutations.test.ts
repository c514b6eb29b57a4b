import { existsSync, readFileSync } from 'node:fs';
import { changeRules } from '../model/change.model.js';
import { endRules } from '../model/end.model.js';
import { groupCommitRules } from '../model/group-commit.model.js';
import { jobRules } from '../model/job.model.js';
import { latestRules } from '../model/latest.model.js';
import { suspectRules } from '../model/suspects.model.js';
import { mutate } from './mutate.js';
import { mutations } from './mutations.js';

/** The models, with the prefix of the mutations that leave out the same rules. */
const MODELS = [
  { name: 'job', prefix: '', rules: jobRules },
  { name: 'latest', prefix: 'latest-', rules: latestRules },
  { name: 'end', prefix: 'end-', rules: endRules },
  { name: 'group commit', prefix: 'commit-', rules: groupCommitRules },
  { name: 'change', prefix: 'change-', rules: changeRules },
];
/** No line of the group commit forbids others to delete its rows. */
const ONLY_IN_MODEL = 'deleteInserted';

// `npm run mutations` leaves out each rule, which takes minutes. These tests show that each can be left out.

describe('the rules that are left out of the real code', () => {
  it.each(mutations)('given $rule, then its place exists once, and its tests exist', (mutation) => {
    const source = readFileSync(mutation.file, 'utf8');

    expect(mutate(source, mutation)).not.toBe(source);
    expect([mutation.tests, `${mutation.tests}.test.ts`].some((path) => existsSync(path))).toBe(true);
  });

  it.each(MODELS)(
    'given the model $name, then each of its rules has a mutation of the same invariant',
    ({ prefix, rules }) => {
      const named = Object.entries<string>(rules)
        .filter(([rule]) => rule !== ONLY_IN_MODEL)
        .map(([rule, text]) => `${text.split(':')[0]} ${prefix}${rule}`);

      expect(mutations.map(({ rule }) => rule)).toEqual(expect.arrayContaining(named));
    },
  );

  it('given the model of suspects, then each of its invariants has a mutation', () => {
    expect(mutations.map(({ rule }) => rule.split(' ')[0])).toEqual(expect.arrayContaining(Object.keys(suspectRules)));
  });

  it('given two mutations, then they have two names', () => {
    expect(new Set(mutations.map(({ rule }) => rule.split(' ')[1])).size).toBe(mutations.length);
  });
});
