import { existsSync, readFileSync } from 'node:fs';
import { endRules } from '../model/end.model.js';
import { groupCommitRules } from '../model/group-commit.model.js';
import { jobRules } from '../model/job.model.js';
import { latestRules } from '../model/latest.model.js';
import { mutate } from './mutate.js';
import { mutations } from './mutations.js';

// `npm run mutations` leaves out each rule, which takes minutes. These tests show that each can be left out.

describe('the rules that are left out of the real code', () => {
  it.each(mutations)('given $rule, then its place exists once, and its tests exist', (mutation) => {
    const source = readFileSync(mutation.file, 'utf8');

    expect(mutate(source, mutation)).not.toBe(source);
    expect([mutation.tests, `${mutation.tests}.test.ts`].some((path) => existsSync(path))).toBe(true);
  });

  it('given the models, then each of their rules has a mutation', () => {
    const named = [
      ...Object.keys(jobRules),
      ...Object.keys(latestRules).map((rule) => `latest-${rule}`),
      ...Object.keys(endRules).map((rule) => `end-${rule}`),
      // No line of the group commit forbids others to delete its rows.
      ...Object.keys(groupCommitRules).flatMap((rule) => (rule === 'deleteInserted' ? [] : `commit-${rule}`)),
    ];

    expect(mutations.map(({ rule }) => rule)).toEqual(expect.arrayContaining(named));
  });

  it('given two mutations, then they have two names', () => {
    expect(new Set(mutations.map(({ rule }) => rule)).size).toBe(mutations.length);
  });
});
