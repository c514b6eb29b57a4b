import { mutate } from './mutate.js';

const SOURCE = `// Überträgt rows: two bytes for a letter
import { save } from './storage.js';

class Rows {
  async finish(row, isOver) {
    if (isOver) return this.#leave(row);
    await save(row.name, [...row.events]);
  }
  async #leave(row) {
    await save(row.name, [...row.events]);
  }
}
`;
const place = { in: '#leave', find: 'await save($row.name, [...$row.events]);' };
const leave = (change: { in?: string; find?: string; put?: string }) => (source: string) =>
  mutate(source, { rule: 'J1 saveOnce', file: 'src/rows.ts', tests: 'test/rows.test.ts', ...place, ...change });

describe('when a mutation looks for its place', () => {
  it.each([
    { given: 'the code as it is', source: SOURCE },
    { given: 'another name of a local variable', source: SOURCE.replace(/\brow\b/g, 'waitingRow') },
    { given: 'another format', source: SOURCE.replace(/save\(row.name, /g, 'save(\n  (row.name), // key\n  ') },
    { given: 'braces', source: SOURCE.replace(/await (.*;)/g, '{ await $1 }') },
  ])('given $given, then leaves out the statement there only', ({ source }) => {
    const at = source.lastIndexOf('await save');
    const before = source.slice(0, at);
    const after = source.slice(at).replace(/^[^;]*;/, ';');

    expect(leave({})(source)).toBe(before + after);
  });

  it('given code with $names, then puts the code that they stand for', () => {
    const mutated = leave({ put: 'void save($row.name, arguments[0]);' })(SOURCE);

    expect(mutated).toBe(SOURCE.replace(/await save\([^;]*;(?=\s+}\s+}\s+$)/, 'void save(row.name, arguments[0]);'));
  });

  it.each([
    { given: 'another argument', change: { find: 'await save($row.name, $row.events);' } },
    { given: 'two names for one variable, as one', change: { find: 'await save($row.name, [...$row.name]);' } },
    { given: 'the name of a local variable', change: { find: 'await save(row.name, [...row.events]);' } },
    { given: 'another function', change: { in: 'begin' } },
    { given: 'no function, and two places', change: { in: undefined } },
  ])('given $given, then names the mutation, the file, the form and the nearest line', ({ change }) => {
    const text =
      /mutation 'J1 saveOnce': .*src\/rows\.ts.* (0|2) times:\n {4}await save\(.*\n {2}7: await save\(row\.name/;

    expect(() => leave(change as { find: string })(SOURCE)).toThrow(text);
  });

  it('given a local variable in the new code, then names it', () => {
    expect(() => leave({ put: 'await save(row.name, []);' })(SOURCE)).toThrow("'find' has no $name for row of 'put'");
  });
});
