import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Language, type Node, Parser } from 'web-tree-sitter';

/** A resource as Azure receives it: with loops and parameters evaluated. */
export type Resource = { symbol: string; type: string; body: Record<string, unknown> };
export type Module = {
  resources: Resource[];
  /** The description of each parameter, and whether it has a default. */
  parameters: Map<string, { description: string | undefined; hasDefault: boolean }>;
  files: string[];
};

type Scope = (name: string) => unknown;
type Functions = Record<string, (...values: never[]) => unknown>;

const grammar = createRequire(join(process.cwd(), 'x.js')).resolve('tree-sitter-bicep/tree-sitter-bicep.wasm');
let parser: Parser | undefined;

/**
 * Evaluates a module with these parameters. Supports only the Bicep that infra/modules/{monitoring,alerts,…} use, and
 * throws at other syntax. The id of a resource is `/<symbol>`; a property that Azure sets is `<symbol>.<property>`.
 */
export async function readModule(path: string, given: Record<string, unknown>): Promise<Module> {
  const root = await parse(readFileSync(path, 'utf8'));
  if (root.hasError) throw new Error(`${path} is no Bicep`);
  const module: Module = { resources: [], parameters: new Map(), files: [] };
  const values = new Map<string, () => unknown>();
  const scope: Scope = (name) => {
    const value = values.get(name);
    if (!value) throw new Error(`${path}: ${name} is not declared`);
    return value();
  };
  const functions = functionsOf(path, module.files);
  const read = (node: Node, within: Scope) => evaluate(node, within, functions);

  let description: string | undefined;
  for (const statement of kids(root)) {
    const [id, second, third] = kids(statement);
    const name = id?.text ?? '';
    switch (statement.type) {
      case 'decorators':
        description = /@(?:sys\.)?description\('((?:[^'\\]|\\.)*)'\)/.exec(statement.text)?.[1];
        continue;
      case 'parameter_declaration':
        module.parameters.set(name, { description, hasDefault: third !== undefined });
        values.set(name, () => (name in given ? given[name] : read(third as Node, scope)));
        break;
      case 'variable_declaration':
        values.set(name, () => read(second as Node, scope));
        break;
      case 'resource_declaration': {
        const type = String(read(second as Node, scope));
        values.set(name, () => ({
          id: `/${name}`,
          properties: new Proxy({}, { get: (_, key) => `${name}.${String(key)}` }),
        }));
        module.resources.push(...bodiesOf(read(third as Node, scope)).map((body) => ({ symbol: name, type, body })));
        break;
      }
      case 'output_declaration':
        if (!description) throw new Error(`${path}: output ${name} is not described`);
        break;
      default:
        throw new Error(`${path}: ${statement.type} is not supported here`);
    }
    description = undefined;
  }
  return module;
}

async function parse(text: string): Promise<Node> {
  if (!parser) {
    await Parser.init();
    parser = new Parser();
    parser.setLanguage(await Language.load(new Uint8Array(readFileSync(grammar)))); // a path would use import(), which jest cannot
  }
  const tree = parser.parse(text);
  if (!tree) throw new Error('nothing parsed');
  return tree.rootNode;
}

function bodiesOf(value: unknown): Record<string, unknown>[] {
  return (Array.isArray(value) ? value : [value]).filter((body) => body !== undefined);
}

const kids = (node: Node) => node.namedChildren.filter((child) => child !== null && child.type !== 'comment') as Node[];

function evaluate(node: Node, scope: Scope, functions: Functions): unknown {
  const read = (inner: Node | undefined, within = scope): unknown => {
    if (!inner) throw new Error(`part missing in ${node.text}`);
    return evaluate(inner, within, functions);
  };
  const inner = kids(node);
  const [first, second, third] = inner;
  switch (node.type) {
    case 'string':
      return inner.map((part) => (part.type === 'interpolation' ? String(read(kids(part)[0])) : textOf(part))).join('');
    case 'number':
      return Number(node.text);
    case 'boolean':
      return node.text === 'true';
    case 'null':
      return null;
    case 'identifier':
      return scope(node.text);
    case 'array':
      return inner.length === 1 && first?.type === 'for_statement' ? read(first) : inner.map((item) => read(item));
    case 'object':
      return Object.fromEntries(
        inner.map((property) => {
          const [key, value] = kids(property);
          return [key?.type === 'string' ? read(key) : key?.text, read(value)];
        }),
      );
    case 'for_statement':
      return loop(inner, read, scope);
    case 'member_expression':
      return memberOf(first as Node, second?.text ?? '', read);
    case 'if_statement':
      return read(first) ? read(second) : undefined;
    case 'parenthesized_expression':
      return read(first);
    case 'unary_expression':
      return !read(first);
    case 'ternary_expression':
      return read(first) ? read(second) : read(third);
    case 'binary_expression':
      if (node.child(1)?.text !== '&&') throw new Error(`not known here: ${node.text}`);
      return read(first) && read(second);
    case 'call_expression': {
      const call = functions[first?.text ?? ''];
      if (!call) throw new Error(`function not known here: ${first?.text}`);
      return call(...(kids(second as Node).map((argument) => read(argument)) as never[]));
    }
    default:
      throw new Error(`not known here: ${node.type}, ${node.text}`);
  }
}

/** Corrects precedence: the grammar parses `a ? b : c.d` as `(a ? b : c).d`, and `a && b.c` as `(a && b).c`. */
function memberOf(object: Node, name: string, read: (node: Node | undefined) => unknown): unknown {
  const [first, second, third] = kids(object);
  if (object.type === 'ternary_expression') return read(first) ? read(second) : memberOf(third as Node, name, read);
  if (object.type === 'binary_expression') return read(first) && memberOf(second as Node, name, read);
  const value = (read(object) as Record<string, unknown>)[name];
  if (value === undefined) throw new Error(`${object.text} has no ${name}`);
  return value;
}

function loop(inner: Node[], read: (node: Node | undefined, within?: Scope) => unknown, scope: Scope): unknown[] {
  const [variables, list, body] = inner;
  const [item, index] = variables?.type === 'for_loop_parameters' ? kids(variables) : [variables];
  return (read(list) as unknown[]).map((value, i) =>
    read(body, (name) => (name === item?.text ? value : name === index?.text ? i : scope(name))),
  );
}

const textOf = ({ type, text }: Node) => (type === 'escape_sequence' ? text.slice(1) : text);

function functionsOf(path: string, files: string[]): Functions {
  return {
    loadTextContent(file: string) {
      const found = join(dirname(path), file);
      files.push(found);
      return readFileSync(found, 'utf8');
    },
    empty: (value: string | unknown[]) => value.length === 0,
    replace: (text: string, what: string, by: string) => text.replaceAll(what, () => by),
    string: (value: unknown) => JSON.stringify(value),
    split: (text: string, at: string) => text.split(at),
    first: (values: unknown[]) => values[0],
    last: (values: unknown[]) => values.at(-1),
    concat: (...lists: unknown[][]) => lists.flat(),
    union: (...objects: object[]) => Object.assign({}, ...objects),
    toUpper: (text: string) => text.toUpperCase(),
    toLower: (text: string) => text.toLowerCase(),
    guid: (...parts: string[]) => `guid(${parts.join(',')})`,
    subscriptionResourceId: (...parts: string[]) => parts.join('/'),
    resourceGroup: () => ({ id: '/resourceGroup' }),
  };
}
