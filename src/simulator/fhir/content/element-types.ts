import { ALWAYS_REPEATING, TYPES } from './repeating-elements.js';

/** Which elements of a type repeat, and which types its elements have. */
export type ElementType = { readonly repeating: Set<string>; readonly children: Map<string, ElementType | undefined> };

const ALWAYS = new Set(ALWAYS_REPEATING.trim().split(/\s+/));
const KNOWN = readTypes(TYPES);
const EVERY_TYPE = KNOWN.get('*');

/** Undefined where the name of an element is enough to know whether it repeats, at any depth. */
export function elementTypeOf(name: unknown): ElementType | undefined {
  return typeof name === 'string' ? KNOWN.get(name) : undefined;
}

/** Whether an element is a list. `_x` is a list where `x` is. */
export function isRepeating(type: ElementType | undefined, element: string): boolean {
  const name = element.startsWith('_') ? element.slice(1) : element;
  return ALWAYS.has(name) || (type?.repeating.has(name) ?? false);
}

export function childTypeOf(type: ElementType | undefined, element: string): ElementType | undefined {
  return type?.children.has(element) ? type.children.get(element) : EVERY_TYPE?.children.get(element);
}

function readTypes(text: string): Map<string, ElementType> {
  const lines = text
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  const types = new Map(
    lines.map(([name = '']): [string, ElementType] => [name, { repeating: new Set(), children: new Map() }]),
  );
  for (const [name, type] of types) addToOwners(types, name, type);
  for (const [owner = '', ...elements] of lines) {
    for (const element of elements) {
      const [name = '', child] = element.split(':');
      if (child === undefined) types.get(owner)?.repeating.add(name);
      else types.get(owner)?.children.set(name, types.get(child));
    }
  }
  return types;
}

/** PatientContact is the type of `contact` in Patient. */
function addToOwners(types: ReadonlyMap<string, ElementType>, name: string, type: ElementType): void {
  for (const { index } of name.matchAll(/(?<!^)[A-Z]/g)) {
    const element = name.charAt(index).toLowerCase() + name.slice(index + 1);
    types.get(name.slice(0, index))?.children.set(element, type);
  }
}
