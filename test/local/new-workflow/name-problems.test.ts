import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nameProblems } from '../../../src/local/new-workflow/name-problems.js';

const INDEX = `import type { Workflow } from '../workflow.js';
import { sugarIndex, type Sugar } from './glucose.js';

/** The list: runs all. */
export const workflows: readonly Workflow[] = [sugarIndex];
`;

let folder = '';
let index = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'index-'));
  index = join(folder, 'index.ts');
  writeFileSync(index, INDEX);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('when a workflow is to be named', () => {
  it.each([
    'glucose-trend',
    'a',
    'list',
    'runs',
    'console',
    'com10',
    'null-values',
    'to-string',
    'a1-b2',
    'a'.repeat(63),
  ])("given '%s', then the name is allowed", (name) => expect(nameProblems(name, { places: [], index })).toEqual([]));

  it.each([
    { name: 'A', reason: 'must be 1 to 63 of a-z' },
    { name: 'a--b', reason: "single '-'" },
    { name: 'a'.repeat(64), reason: 'must be 1 to 63' },
    { name: 'resource-index', reason: "There is a workflow named 'resource-index'." },
    { name: 'demo-flaky', reason: "'demo-flaky' is the workflow of the demonstration that `npm start` runs." },
    { name: 'delete', reason: "'delete' is a word of the language" },
    { name: 'undefined', reason: "'undefined' is a word of the language" },
    { name: 'constructor', reason: "'constructor' is a property of every object" },
    { name: 'unknown', reason: "'unknown' is how metrics name a workflow that this app does not have." },
    { name: 'nul', reason: "'nul' is a device on Windows" },
    { name: 'com1', reason: "'com1' is a device on Windows" },
    { name: 'imagingstudies', reason: "would share table 'imagingstudies' with the workflow 'imaging-studies'" },
    { name: 'sugar-index', reason: "index.ts already has 'sugarIndex'." },
  ])("given '$name', then the name is refused because '$reason'", ({ name, reason }) => {
    expect(nameProblems(name, { places: [], index })).toEqual([expect.stringContaining(reason)]);
  });

  it('given a file of the workflow exists, then the name is refused', () => {
    expect(nameProblems('glucose', { places: ['package.json', 'nowhere.ts'], index })).toEqual([
      'package.json is there already.',
    ]);
  });
});
