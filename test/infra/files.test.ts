import type { Node } from 'web-tree-sitter';
import { type BicepFile, nodesOf, readBicep } from './bicep.js';

let files: readonly BicepFile[];
beforeAll(async () => {
  files = await readBicep();
});

/** No other file uses these as a module: azd, the postdeploy hook and people deploy them. */
const ENTRIES = ['infra/main.bicep', 'infra/operator-role.bicep', 'infra/subscriptions.bicep'];

describe('when infra/ is parsed', () => {
  it('given any file, then its syntax is valid', () => {
    expect(files.filter(({ root }) => root.hasError).map(({ path }) => path)).toEqual([]);
    expect(files.length).toBeGreaterThan(15);
  });

  it('given the modules, then every file is used, and every used file exists', () => {
    const called = new Set(files.flatMap(({ modules }) => modules.map(({ path }) => path)));

    expect([...called].sort()).toEqual(files.map(({ path }) => path).filter((path) => !ENTRIES.includes(path)));
  });

  it('given a parameter, an output or a property of a type, then it has a description', () => {
    const undescribed = files.flatMap(({ path, parameters, outputs, root }) => [
      ...[...parameters, ...outputs]
        .filter(({ description }) => (description ?? '').trim().length < 4)
        .map(({ name }) => `${path}: ${name}`),
      ...nodesOf(root, 'type_declaration')
        .filter(({ text }) => (text.match(/@description/g)?.length ?? 0) < (text.match(/^ {2}\w+:/gm)?.length ?? 0))
        .map(({ text }) => `${path}: ${text.slice(0, 40)}`),
    ]);

    expect(undescribed).toEqual([]);
  });

  it('given a resource type, then all its uses have the same API version', () => {
    const versions = new Map<string, Set<string>>();
    for (const { type, version } of files.flatMap(({ resources }) => resources)) {
      versions.set(type, (versions.get(type) ?? new Set()).add(version));
    }

    expect([...versions].filter(([, used]) => used.size !== 1)).toEqual([]);
    expect(versions.size).toBeGreaterThan(20);
  });

  it('given a module with a condition, then its outputs are read only under the same condition', () => {
    const conditional = files.flatMap(({ path, root, modules }) =>
      modules.flatMap(({ name, node }) => {
        const [, condition] = /^module \w+ '[^']*' = if \((.*)\) \{$/m.exec(node.text) ?? [];
        return condition === undefined ? [] : [{ path, name, condition, reads: outputReads(root, name) }];
      }),
    );

    const unguarded = conditional.flatMap(({ path, name, condition, reads }) =>
      reads.filter((at) => !isOnlyWhere(condition, at)).map((at) => `${path}:${at.startPosition.row + 1}: ${name}`),
    );
    expect(conditional.flatMap(({ reads }) => reads).length).toBeGreaterThan(5);
    expect(unguarded).toEqual([]);
  });

  it('given a module in another resource group, then its deployment name begins with the name of the app', () => {
    const elsewhere = files
      .flatMap(({ modules }) => modules)
      .filter(({ node }) => node.text.includes('scope: resourceGroup('));

    expect(elsewhere.map(({ name }) => name)).toEqual([
      'healthReaders',
      'workspaceRegion',
      'systemTopic',
      'existingSystemTopic',
    ]);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Bicep syntax
    expect(elsewhere.filter(({ node }) => !node.text.includes("name: '${functionAppName}-"))).toEqual([]);
  });
});

/** The places that read an output of the module of this name. */
function outputReads(root: Node, name: string): Node[] {
  return nodesOf(root, 'identifier').filter(
    (at) => at.text === name && /^!?\.\??outputs\b/.test(root.text.slice(at.endIndex)),
  );
}

/**
 * Returns whether Bicep evaluates `at` only if `condition` is true: in the second part of a ternary with this
 * condition.
 */
function isOnlyWhere(condition: string, at: Node): boolean {
  for (let inner = at, up = at.parent; up; inner = up, up = up.parent) {
    const [first, second] = up.namedChildren;
    if (up.type === 'ternary_expression' && first?.text === condition && second?.id === inner.id) return true;
  }
  return false;
}
