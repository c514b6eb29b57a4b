import { textOfPath } from '../../../json-place.js';
import { childTypeOf, type ElementType, isRepeating, typeOfResource } from './element-types.js';
import { isNothing, isObject } from './json.js';
import { FhirError } from './outcome.js';

/** The place of an element: `['Patient', 'name', 0]` for Patient.name[0]. */
type Place = (string | number)[];

/** Names of elements in FHIR's JSON; an underscore leads to the extensions of a primitive. */
const ELEMENT_NAME = /^_?[A-Za-z][A-Za-z0-9]*$/;
/** Comments of FHIR before R3: no element, and no error either. */
const COMMENTS = 'fhir_comments';

/**
 * Changes a resource into the form in which the real service stores it: without empty values (null, '', {} and []),
 * with a list wherever an element repeats, and without a list where it does not. Throws a FhirError for a
 * resource that has no such form.
 */
export function cleanElements(resource: Record<string, unknown>, place: Place): void {
  cleanObject(resource, undefined, place);
}

/** Returns the refusal (400) of the element at `place`. `text` continues a sentence that begins with the place. */
export function problemAt(place: Place, text: string): FhirError {
  const expression = textOfPath(place);
  const diagnostics = `${expression} ${text}.`;
  return new FhirError(400, [{ severity: 'error', code: 'structure', diagnostics, expression }]);
}

/** Returns false if no element is left. */
function cleanObject(object: Record<string, unknown>, given: ElementType | undefined, place: Place): boolean {
  const type = given ?? typeOfResource(object.resourceType);
  const withGaps: string[] = [];
  let isEmpty = true;
  for (const name of Object.keys(object)) {
    if (name !== COMMENTS && !ELEMENT_NAME.test(name)) {
      throw problemAt(place, `has '${name}', which cannot be the name of an element`);
    }
    place.push(name);
    const found = object[name];
    const value = name === COMMENTS ? undefined : cleanValue(found, childTypeOf(type, name), place);
    const fitting = value === undefined ? undefined : fitToElement(value, isRepeating(type, name), place);
    place.pop();
    if (fitting === undefined) delete object[name];
    else {
      isEmpty = false;
      if (fitting !== found) object[name] = fitting;
      if (Array.isArray(fitting) && fitting.includes(null)) withGaps.push(name);
    }
  }
  for (const name of withGaps) closeGaps(object, name);
  return !isEmpty;
}

/** Returns undefined if nothing is left. A list keeps its length: null takes the place of an empty item. */
function cleanValue(value: unknown, type: ElementType | undefined, place: Place): unknown {
  if (Array.isArray(value)) return cleanList(value, type, place);
  if (isObject(value)) return cleanObject(value, type, place) ? value : undefined;
  if (isNothing(value)) return undefined;
  if (typeof value === 'number' && !Number.isFinite(value)) throw problemAt(place, 'is a number beyond all bounds');
  return value;
}

function cleanList(values: unknown[], type: ElementType | undefined, place: Place): unknown[] | undefined {
  let isEmpty = true;
  for (const [n, value] of values.entries()) {
    place.push(n);
    const cleaned = Array.isArray(value) ? undefined : cleanValue(value, type, place);
    place.pop();
    values[n] = cleaned ?? null;
    if (cleaned !== undefined) isEmpty = false;
  }
  return isEmpty ? undefined : values;
}

function fitToElement(value: unknown, isRepeating: boolean, place: Place): unknown {
  if (isRepeating) return Array.isArray(value) ? value : [value];
  if (!Array.isArray(value)) return value;
  const items = value.filter((item) => item !== null);
  if (items.length > 1) throw problemAt(place, `is a list of ${items.length}, but the element does not repeat`);
  return items[0];
}

/** Items of `given` and `_given` belong together by index. An index where both are empty is removed. */
function closeGaps(object: Record<string, unknown>, name: string): void {
  const base = name.replace(/^_/, '');
  const lists = [base, `_${base}`].map((key) => [key, object[key]] as const);
  const length = Math.max(...lists.map(([, list]) => (Array.isArray(list) ? list.length : 0)));
  const itemOf = (list: unknown, n: number) => (Array.isArray(list) ? (list[n] ?? null) : null);
  const kept = Array.from({ length }, (_, n) => n).filter((n) => lists.some(([, list]) => itemOf(list, n) !== null));
  for (const [key, list] of lists) if (Array.isArray(list)) object[key] = kept.map((n) => itemOf(list, n));
}
