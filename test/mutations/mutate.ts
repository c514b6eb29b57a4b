import { parseSync } from '@swc/core';
import type { Mutation } from './mutations.js';

// A mutation finds its place in the syntax tree: neither formatting nor the names of local variables matter.

type Node = { readonly type: string; readonly span: { start: number; end: number }; readonly [key: string]: unknown };
/** The node for which each `$name` of a mutation stands. */
type Holes = Map<string, Node>;
/** Returns the text between two positions of swc. */
type TextOf = (start: number, end?: number) => string;

const HOLE = /\$[a-z]\w*/gi;
/** These keys differ between two places of the same code. */
const KEYS_OF_PLACE = ['span', 'start', 'end', 'ctxt', 'raw'];
/** swc's numbers of scopes: 1 for names that the file does not declare, 2 for its top level, then those inside. */
const UNDECLARED = 1;
const TOP_LEVEL = 2;

/** Returns the source with the mutation. Throws if it does not have the mutation's place exactly once. */
export function mutate(source: string, mutation: Mutation): string {
  const { rule, put = '' } = mutation;
  const withStart = `;${source}`; // a tree begins at its first token: here where the text begins
  const tree = parse(withStart);
  const bytes = Buffer.from(withStart);
  const textOf: TextOf = (start, end = Number.POSITIVE_INFINITY) =>
    bytes.subarray(start - tree.span.start, end - tree.span.start).toString();

  const { node, holes } = onlyPlace(tree, textOf, mutation);
  const unknown = freeNamesOf(put).filter((name) => !holes.has(name) && !isTopLevel(name, tree));
  if (unknown.length > 0) throw new Error(`mutation '${rule}': 'find' has no $name for ${unknown} of 'put'`);

  const text = put.replace(HOLE, (name) => {
    const hole = holes.get(name);
    return hole ? textOf(hole.span.start, hole.span.end) : name;
  });
  const nothing = node.type.endsWith('Statement') ? ';' : '';
  return textOf(tree.span.start + 1, node.span.start) + (text || nothing) + textOf(node.span.end);
}

function onlyPlace(
  tree: Node,
  textOf: TextOf,
  { rule, file, in: owner, find }: Mutation,
): { node: Node; holes: Holes } {
  const [pattern] = parseSnippet(find);
  const owners = owner === undefined ? [tree] : nodesOf(tree).filter((node) => declaredName(node) === owner);
  const places = owners.flatMap(nodesOf).flatMap((node) => {
    const holes: Holes = new Map();
    return unwrap(node) === node && isMatch(pattern, node, holes) ? [{ node, holes }] : [];
  });
  const [place] = places;
  if (place && places.length === 1) return place;
  const where = owner === undefined ? file : `${owner} in ${file}`;
  const source = textOf(tree.span.start + 1).split('\n');
  const found = places.map(({ node }) => textOf(tree.span.start, node.span.start).split('\n').length);
  const lines = (places.length > 0 ? found : nearestLines(find, source)).map(
    (at) => `  ${at}: ${source[at - 1]?.trim()}`,
  );
  const wrong = `mutation '${rule}': its place in ${where} was found ${places.length} times:\n    ${find}`;
  throw new Error([wrong, ...lines, 'Bring test/mutations/mutations.ts up to date.'].join('\n'));
}

/** Returns whether a node has the form of the pattern. Adds to `holes`. */
function isMatch(pattern: unknown, found: unknown, holes: Holes): boolean {
  if (!isObject(pattern) || !isObject(found)) return pattern === found;
  const [wanted, node] = [unwrap(pattern), unwrap(found)];
  const hole = holeOf(wanted);
  if (hole !== undefined) {
    const before = holes.get(hole);
    holes.set(hole, node);
    return before === undefined || formOf(before) === formOf(node);
  }
  if (node.type === 'Identifier' && Number(node.ctxt) > TOP_LEVEL) return false;
  const keys = new Set([...Object.keys(wanted), ...Object.keys(node)]);
  return [...keys].every((key) => KEYS_OF_PLACE.includes(key) || isMatch(wanted[key], node[key], holes));
}

/** The name of a hole that is an expression, a name or a whole statement. */
function holeOf(node: Node): string | undefined {
  const name = node.type === 'ExpressionStatement' ? (node.expression as Node) : node;
  const isHole = name.type === 'Identifier' && String(name.value).replace(HOLE, '') === '';
  return isHole ? String(name.value) : undefined;
}

/** Parentheses, and braces around one statement, are formatting. */
function unwrap(node: Node): Node {
  if (node.type === 'ParenthesisExpression') return unwrap(node.expression as Node);
  const statements = node.type === 'BlockStatement' ? (node.stmts as Node[]) : [];
  return statements.length === 1 && statements[0] ? unwrap(statements[0]) : node;
}

function declaredName(node: Node): string | undefined {
  const { type, value } = Object(node.identifier ?? node.key ?? node.id) as Partial<Node>;
  return type === 'PrivateName' ? `#${value}` : (value as string | undefined);
}

function freeNamesOf(code: string): string[] {
  const names = parseSnippet(code).flatMap(nodesOf);
  return names.filter(({ ctxt }) => ctxt === UNDECLARED).map(({ value }) => String(value));
}

function isTopLevel(name: string, tree: Node): boolean {
  if (name in globalThis || name === 'arguments') return true;
  return nodesOf(tree).some(({ ctxt, value }) => ctxt === TOP_LEVEL && value === name);
}

/** Returns the numbers of the lines that share most words with `find`. */
function nearestLines(find: string, source: readonly string[]): number[] {
  const words = find.match(/(?<![$\w])[a-z]\w{2,}/gi) ?? [];
  return source
    .map((line, i) => ({ at: i + 1, shared: words.filter((word) => line.includes(word)).length }))
    .filter(({ shared }) => shared > 0)
    .sort((a, b) => b.shared - a.shared)
    .slice(0, 3)
    .map(({ at }) => at);
}

function formOf(node: Node): string {
  if (node.type === 'Identifier') return String(node.value); // where it is declared, it has more keys
  return JSON.stringify(node, (key, value) => (KEYS_OF_PLACE.includes(key) ? undefined : value));
}

/** Returns the nodes of an expression or of statements. */
function parseSnippet(code: string): Node[] {
  const inFunction = (body: string, type: string) =>
    nodesOf(parse(`class _ { async _() { for (;;) { ${body} } } }`)).filter((node) => node.type === type);
  try {
    return inFunction(`(${code})`, 'ParenthesisExpression').slice(0, 1).map(unwrap);
  } catch {
    const [body] = inFunction(code, 'BlockStatement');
    return body?.stmts as Node[];
  }
}

function parse(source: string): Node {
  return parseSync(source, { syntax: 'typescript', target: 'es2024' }) as unknown as Node;
}

function nodesOf(value: unknown): Node[] {
  if (!isObject(value)) return [];
  const inside = Object.values(value).flatMap(nodesOf);
  return typeof value.type === 'string' ? [value, ...inside] : inside;
}

function isObject(value: unknown): value is Node {
  return typeof value === 'object' && value !== null;
}
