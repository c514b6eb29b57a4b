import { readFileSync } from 'node:fs';

const read = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as { version: string };
const [, newest] = /^## (\d+\.\d+\.\d+) - \d{4}-\d\d-\d\d$/m.exec(readFileSync('CHANGELOG.md', 'utf8')) ?? [];

describe('when a reader looks up the version', () => {
  it('given CHANGELOG.md, then package.json and the lock file have its newest version', () => {
    expect(newest).toBeDefined();
    expect([read('package.json').version, read('package-lock.json').version]).toEqual([newest, newest]);
  });
});
