import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openOut, problemOfPlace } from '../../../src/local/dead-letters/files.js';

let project = '';
beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'ahds-'));
});
afterEach(() => rmSync(project, { recursive: true }));

describe('when a file of clinical data is written', () => {
  it.each([
    { path: '/project/event.json', then: /git would find clinical data: use a path in \.local\// },
    { path: '/project/docs/event.json', then: /git would find/ },
    { path: '/project/.locals/event.json', then: /git would find/ },
    { path: '/project/.local/event.json', then: undefined },
    { path: '/project/.local/deep/event.json', then: undefined },
    { path: '/project2/event.json', then: undefined },
    { path: '/elsewhere/event.json', then: undefined },
  ])('given $path and the project in /project, then the problem is $then', ({ path, then }) => {
    const problem = problemOfPlace(path, '/project');

    if (then) expect(problem).toMatch(then);
    else expect(problem).toBeUndefined();
  });

  it('given no folder .local/, then it is made, with a file that only its owner can read', () => {
    const path = join(project, '.local', 'event.json');

    const file = openOut(path, project);
    file.write('{}');
    file.write('\n');
    file.close();

    expect(readFileSync(path, 'utf8')).toBe('{}\n');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('given a file that others can read, then its content is replaced, and only its owner can read it', () => {
    const path = join(project, 'event.json');
    writeFileSync(path, 'a longer text', { mode: 0o644 });

    const file = openOut(path, project);
    file.write('{}');
    file.close();

    expect(readFileSync(path, 'utf8')).toBe('{}');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });
});
