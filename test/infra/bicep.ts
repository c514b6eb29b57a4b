import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Language, type Node, Parser } from 'web-tree-sitter';

/** The declarations of one file in infra/. */
export type BicepFile = {
  readonly path: string;
  readonly text: string;
  readonly root: Node;
  readonly parameters: readonly Declaration[];
  readonly outputs: readonly Declaration[];
  readonly variables: readonly Declaration[];
  readonly resources: readonly Resource[];
  readonly modules: readonly { readonly name: string; readonly path: string; readonly node: Node }[];
};

export type Declaration = {
  readonly name: string;
  readonly node: Node;
  /** The text of `@description`, where it is a literal. */
  readonly description: string | undefined;
  readonly isSecure: boolean;
  /** The source text after the `=`. */
  readonly value: string | undefined;
};

export type Resource = {
  readonly name: string;
  readonly type: string;
  readonly version: string;
  readonly isExisting: boolean;
  readonly node: Node;
};

/** Parses every Bicep file in `folder`. */
export async function readBicep(folder = 'infra'): Promise<readonly BicepFile[]> {
  const parser = await bicepParser();
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.bicep'))
    .sort()
    .map((name) => parseFile(parser, join(folder, name)));
}

async function bicepParser(): Promise<Parser> {
  await Parser.init();
  const { resolve } = createRequire(join(process.cwd(), 'package.json'));
  const folder = dirname(resolve('tree-sitter-bicep/package.json'));
  const parser = new Parser();
  // Load from bytes: with a path the library uses import(), which jest does not allow.
  parser.setLanguage(await Language.load(readFileSync(join(folder, 'tree-sitter-bicep.wasm'))));
  return parser;
}

function parseFile(parser: Parser, path: string): BicepFile {
  const text = readFileSync(path, 'utf8');
  const tree = parser.parse(text);
  if (!tree) throw new Error(`${path} was not parsed`);
  const root = tree.rootNode;
  return {
    path,
    text,
    root,
    parameters: declarationsOf(root, 'parameter_declaration'),
    outputs: declarationsOf(root, 'output_declaration'),
    variables: declarationsOf(root, 'variable_declaration'),
    resources: nodesOf(root, 'resource_declaration').map(resourceOf),
    modules: nodesOf(root, 'module_declaration').map((node) => ({
      name: identifierOf(node),
      path: join(dirname(path), literalOf(childOf(node, 'string')) ?? ''),
      node,
    })),
  };
}

export function nodesOf(node: Node, type: string): Node[] {
  return node.descendantsOfType(type).filter((found) => found !== null);
}

/** The text of a string without interpolation. */
export function literalOf(node: Node | undefined): string | undefined {
  if (node?.type !== 'string' || node.text.includes('${')) return undefined;
  return node.text.slice(1, -1).replaceAll("\\'", "'");
}

/** The properties of an object, by name. */
export function propertiesOf(object: Node | undefined): ReadonlyMap<string, Node> {
  const pairs = (object?.namedChildren ?? [])
    .filter((child) => child?.type === 'object_property')
    .map((property) => {
      const [key, value] = (property?.namedChildren ?? []).filter((child) => child?.type !== 'comment');
      return [key && (literalOf(key) ?? key.text), value] as const;
    });
  return new Map(pairs.filter((pair): pair is readonly [string, Node] => Boolean(pair[0] && pair[1])));
}

/** The value at this path of properties, in the first object of `node`, and of each value on the way. */
export function valueAt(node: Node, ...path: string[]): Node | undefined {
  let at: Node | undefined = firstObject(node);
  for (const name of path) at = propertiesOf(at && firstObject(at)).get(name);
  return at;
}

function firstObject(node: Node): Node | undefined {
  return node.type === 'object' ? node : nodesOf(node, 'object')[0];
}

export function childOf(node: Node, type: string): Node | undefined {
  return node.namedChildren.find((child) => child?.type === type) ?? undefined;
}

function declarationsOf(root: Node, type: string): Declaration[] {
  return nodesOf(root, type)
    .map((node) => ({ node, decorators: decoratorsOf(node) }))
    .map(({ node, decorators }) => ({
      name: identifierOf(node),
      node,
      description: descriptionIn(decorators),
      isSecure: decorators.some(({ text }) => text === '@secure()'),
      value: /=\s*([\s\S]+)$/.exec(node.text)?.[1]?.trim(),
    }));
}

function descriptionIn(decorators: readonly Node[]): string | undefined {
  const found = decorators.find(({ text }) => text.startsWith('@description('));
  return found && literalOf(nodesOf(found, 'string')[0]);
}

/** Decorators come before their declaration. */
function decoratorsOf(node: Node): Node[] {
  const found: Node[] = [];
  for (let before = node.previousNamedSibling; before; before = before.previousNamedSibling) {
    if (!/^(decorators?|comment)$/.test(before.type)) break;
    found.push(...(before.type === 'decorators' ? nodesOf(before, 'decorator') : [before]));
  }
  return found;
}

function resourceOf(node: Node): Resource {
  const written = literalOf(childOf(node, 'string')) ?? '';
  const outer = outerResourceOf(node);
  const [own = '', ownVersion] = written.split('@');
  return {
    name: identifierOf(node),
    type: outer && !own.includes('.') ? `${outer.type}/${own}` : own,
    version: ownVersion ?? outer?.version ?? '',
    isExisting: node.children.some((child) => child?.text === 'existing'),
    node,
  };
}

function outerResourceOf(node: Node): Resource | undefined {
  for (let up = node.parent; up; up = up.parent) if (up.type === 'resource_declaration') return resourceOf(up);
  return undefined;
}

function identifierOf(node: Node): string {
  return childOf(node, 'identifier')?.text ?? '';
}
