import { existsSync, readFileSync } from 'node:fs';
import { endRules } from '../model/end.model.js';
import { groupCommitRules } from '../model/group-commit.model.js';
import { jobRules } from '../model/job.model.js';
import { latestRules } from '../model/latest.model.js';
import { mutations } from './mutations.js';

// `npm run mutations` leaves each rule out, which takes minutes. This sees that it can.

describe('the rules that are left out of the real code', () => {
  it.each(mutations.map(({ rule, ...rest }) => ({ rule, ...rest })))(
    'given $rule, then its place is there, once, and so are its tests',
    ({ file, find, put, tests }) => {
      expect(readFileSync(file, 'utf8').split(find)).toHaveLength(2);
      expect(put).not.toBe(find);
      const files = [tests, `${tests}.test.ts`];
      expect(files.some((path) => existsSync(path))).toBe(true);
    },
  );

  it('given the models, then each of their rules is among them', () => {
    const named = [
      ...Object.keys(jobRules),
      ...Object.keys(latestRules).map((rule) => `latest-${rule}`),
      ...Object.keys(endRules).map((rule) => `end-${rule}`),
      // What nobody may do to the rows of others is no line of the group commit's.
      ...Object.keys(groupCommitRules).flatMap((rule) => (rule === 'deleteInserted' ? [] : `commit-${rule}`)),
    ];

    expect(mutations.map(({ rule }) => rule)).toEqual(expect.arrayContaining(named));
  });

  it('given two, then they have two names', () => {
    expect(new Set(mutations.map(({ rule }) => rule)).size).toBe(mutations.length);
  });
});
