import elements from './repeating-elements.json' with { type: 'json' };

/** The elements of a type that repeat, and the types of its elements. */
export type ElementType = { readonly repeating: Set<string>; readonly children: Map<string, ElementType | undefined> };

/** Elements that repeat in every type that has an element of the name. */
const ALWAYS = new Set(elements.always.split(' '));
const KNOWN = readTypes();
const EVERY_TYPE = KNOWN.get('*');

/**
 * Returns the type of a resource; undefined if the names of its elements, at any depth, are enough to know which of them
 * repeat.
 */
export function typeOfResource(resourceType: unknown): ElementType | undefined {
  return typeof resourceType === 'string' ? KNOWN.get(resourceType) : undefined;
}

/** Returns whether an element is a list. `_x` is a list where `x` is. */
export function isRepeating(type: ElementType | undefined, element: string): boolean {
  const name = element.startsWith('_') ? element.slice(1) : element;
  return ALWAYS.has(name) || (type?.repeating.has(name) ?? false);
}

/** Returns the type of an element; undefined if names are enough, as in `typeOfResource`. */
export function childTypeOf(type: ElementType | undefined, element: string): ElementType | undefined {
  return type?.children.has(element) ? type.children.get(element) : EVERY_TYPE?.children.get(element);
}

/**
 * A type's entry has the elements that repeat in the type and not in every type; then, as `name:Type`, the elements
 * whose name does not show their type, as Patient.contact shows PatientContact. `*` is every type.
 */
function readTypes(): Map<string, ElementType> {
  const types = new Map<string, ElementType>();
  for (const name of Object.keys(elements.types)) types.set(name, { repeating: new Set(), children: new Map() });
  for (const [name, type] of types) {
    for (const { index } of name.matchAll(/(?<!^)[A-Z]/g)) {
      const element = name.charAt(index).toLowerCase() + name.slice(index + 1);
      types.get(name.slice(0, index))?.children.set(element, type);
    }
  }
  for (const [owner, listed] of Object.entries(elements.types)) {
    for (const element of listed.split(' ')) {
      const [name = '', child] = element.split(':');
      if (child === undefined) types.get(owner)?.repeating.add(name);
      else types.get(owner)?.children.set(name, types.get(child));
    }
  }
  return types;
}
