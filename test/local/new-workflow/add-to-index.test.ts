import { addToIndex } from '../../../src/local/new-workflow/add-to-index.js';

const INDEX = `import type { Workflow } from '../workflow.js';
import { resourceIndex } from './resource-index.js';

/** The workflows that run. */
export const workflows: readonly Workflow[] = [resourceIndex];
`;

describe('when a workflow is added to the list', () => {
  it('given a name that comes first, then its import is the first, and its entry the last', () => {
    expect(addToIndex(INDEX, 'glucose-trend')).toBe(`import type { Workflow } from '../workflow.js';
import { glucoseTrend } from './glucose-trend.js';
import { resourceIndex } from './resource-index.js';

/** The workflows that run. */
export const workflows: readonly Workflow[] = [resourceIndex, glucoseTrend];
`);
  });

  it('given a name that comes last, then its import is the last', () => {
    expect(addToIndex(INDEX, 'ward-list')).toContain(
      "import { resourceIndex } from './resource-index.js';\nimport { wardList } from './ward-list.js';\n",
    );
  });

  it('given more than fit in a line, then each has a line, also after a second addition', () => {
    const names = Array.from({ length: 8 }, (_, n) => `a-rather-long-name-${n}`);
    const text = names.reduce<string>((index, name) => addToIndex(index, name) ?? '', INDEX);

    expect(text).toContain('= [\n  resourceIndex,\n  aRatherLongName0,\n');
    expect(text).toContain('  aRatherLongName7,\n];');
  });

  it('given an empty list, then the workflow is the only one', () => {
    expect(addToIndex(INDEX.replace('[resourceIndex]', '[]'), 'first')).toContain('= [first];');
  });

  it('given a file without a list, then nothing is added', () => {
    expect(addToIndex('export const other = 1;\n', 'one')).toBeUndefined();
  });
});
