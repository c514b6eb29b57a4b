import { readFileSync } from 'node:fs';

const read = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as { version: string };
const [, newest] = /^## (\d+\.\d+\.\d+) - \d{4}-\d\d-\d\d$/m.exec(readFileSync('CHANGELOG.md', 'utf8')) ?? [];

describe('when somebody reads the version', () => {
  it('given CHANGELOG.md, then its newest version is that of package.json and of the lock file', () => {
    expect(newest).toBeDefined();
    expect([read('package.json').version, read('package-lock.json').version]).toEqual([newest, newest]);
  });
});
