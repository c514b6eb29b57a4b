import type { Node } from 'web-tree-sitter';
import { type BicepFile, nodesOf, readBicep } from './bicep.js';

let files: readonly BicepFile[];
beforeAll(async () => {
  files = await readBicep();
});

/** Not called by another: azd and the postdeploy hook deploy them. */
const ENTRIES = ['infra/main.bicep', 'infra/subscriptions.bicep'];

describe('when infra/ is read', () => {
  it('given each file, then its syntax is right', () => {
    expect(files.filter(({ root }) => root.hasError).map(({ path }) => path)).toEqual([]);
    expect(files.length).toBeGreaterThan(15);
  });

  it('given each module, then somebody calls it, and those that are called are there', () => {
    const called = new Set(files.flatMap(({ modules }) => modules.map(({ path }) => path)));

    expect([...called].sort()).toEqual(files.map(({ path }) => path).filter((path) => !ENTRIES.includes(path)));
  });

  it('given a parameter, an output or a property of a type, then it is described', () => {
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

  it('given a type of resource, then all use one API version of it', () => {
    const versions = new Map<string, Set<string>>();
    for (const { type, version } of files.flatMap(({ resources }) => resources)) {
      versions.set(type, (versions.get(type) ?? new Set()).add(version));
    }

    expect([...versions].filter(([, used]) => used.size !== 1)).toEqual([]);
    expect(versions.size).toBeGreaterThan(20);
  });

  it('given a module with a condition, then its outputs are asked for only where it is made', () => {
    const conditional = files.flatMap(({ path, root, modules }) =>
      modules.flatMap(({ name, node }) => {
        const [, condition] = /^module \w+ '[^']*' = if \((.*)\) \{$/m.exec(node.text) ?? [];
        return condition === undefined ? [] : [{ path, name, condition, asked: outputsAsked(root, name) }];
      }),
    );

    const unguarded = conditional.flatMap(({ path, name, condition, asked }) =>
      asked.filter((at) => !isOnlyWhere(condition, at)).map((at) => `${path}:${at.startPosition.row + 1}: ${name}`),
    );
    expect(conditional.flatMap(({ asked }) => asked).length).toBeGreaterThan(5);
    expect(unguarded).toEqual([]);
  });

  it('given a module of another resource group, then its deployment is named after the app, for others are there too', () => {
    const elsewhere = files
      .flatMap(({ modules }) => modules)
      .filter(({ node }) => node.text.includes('scope: resourceGroup('));

    expect(elsewhere.map(({ name }) => name)).toEqual([
      'healthReaders',
      'workspaceRegion',
      'systemTopic',
      'existingSystemTopic',
    ]);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as it is written in Bicep
    expect(elsewhere.filter(({ node }) => !node.text.includes("name: '${functionAppName}-"))).toEqual([]);
  });
});

/** Where outputs of the module of this name are asked for. */
function outputsAsked(root: Node, name: string): Node[] {
  return nodesOf(root, 'identifier').filter(
    (at) => at.text === name && /^!?\.\??outputs\b/.test(root.text.slice(at.endIndex)),
  );
}

/** Whether this is looked at only where `condition` holds: in the middle part of a ternary with that condition. */
function isOnlyWhere(condition: string, at: Node): boolean {
  for (let inner = at, up = at.parent; up; inner = up, up = up.parent) {
    const [first, second] = up.namedChildren;
    if (up.type === 'ternary_expression' && first?.text === condition && second?.id === inner.id) return true;
  }
  return false;
}
