import { type Fields, isFields } from '../../workflow.js';
import { CONDITIONS, LOINC } from './rule-schema.js';
import { conversionOf, isUcum } from './units.js';

/**
 * A problem of a rules file. `path` is a path in the JSON, as `rules[3].unit`, or a place in the text, as `line 3,
 * column 14`.
 */
export type Problem = { readonly path: string; readonly message: string };

type Place = { readonly fields: Fields; readonly path: string };

const KINDS = Object.keys(CONDITIONS) as (keyof typeof CONDITIONS)[];
const ALL = Object.values(CONDITIONS).flat();
/** A rule has only one property of each of these groups. */
const EXCLUSIVE = [['above', 'atLeast'], ['below', 'atMost'], CONDITIONS.delta] as const;

/**
 * Returns the problems that a schema of single properties cannot find: conditions, names and units that do not go
 * together. Takes any content, so that these problems are reported together with those of the schema.
 */
export function findProblems(content: unknown): Problem[] {
  const rules = isFields(content) && Array.isArray(content.rules) ? content.rules : [];
  const places = rules.flatMap((fields, at) => (isFields(fields) ? [{ fields, path: `rules[${at}]` }] : []));
  return [
    ...places.flatMap(conditionProblems),
    ...nameProblems(places),
    ...places.flatMap(unitProblems),
    ...comparisonProblems(places),
  ];
}

function conditionProblems({ fields, path }: Place): Problem[] {
  const kinds = KINDS.filter((kind) => CONDITIONS[kind].some((name) => has(fields, name)));
  const [kind] = kinds;
  if (kind === undefined) return [{ path, message: `has no condition, must have one of ${ALL.join(', ')}` }];
  if (kinds.length > 1) {
    const named = ALL.filter((name) => has(fields, name)).join(', ');
    return [{ path, message: `has ${named}, must have one kind of condition; make a rule of each` }];
  }
  const isPercent = ALL.some((name) => name.endsWith('Percent') && has(fields, name));
  const place = { fields, path };
  return [
    ...EXCLUSIVE.flatMap((names) => atMostOne(place, names)),
    ...(kind === 'limits' ? insideProblems(place) : []),
    ...presence(place, 'unit', kind === 'limits' || (kind === 'delta' && !isPercent)),
    ...presence(place, 'within', kind === 'delta'),
  ];
}

function atMostOne({ fields, path }: Place, names: readonly string[]): Problem[] {
  const [first, ...others] = names.filter((name) => has(fields, name));
  const message = `stands beside ${first}, must be in a rule of its own`;
  return others.map((name) => ({ path: `${path}.${name}`, message }));
}

function insideProblems({ fields, path }: Place): Problem[] {
  const upper = has(fields, 'above') ? fields.above : fields.atLeast;
  const [name, lower] = has(fields, 'below') ? ['below', fields.below] : ['atMost', fields.atMost];
  if (typeof upper !== 'number' || typeof lower !== 'number' || lower < upper) return [];
  const message = `is ${lower}, must be less than ${upper}: a rule alerts outside of a range`;
  return [{ path: `${path}.${name}`, message }];
}

function presence({ fields, path }: Place, name: string, isNeeded: boolean): Problem[] {
  if (has(fields, name) === isNeeded) return [];
  const message = isNeeded
    ? 'is missing, must be there with this condition'
    : 'is there, must be left out with this condition';
  return [{ path: `${path}.${name}`, message }];
}

function nameProblems(places: readonly Place[]): Problem[] {
  const first = new Map<string, string>();
  return places.flatMap(({ fields: { name }, path }) => {
    if (typeof name !== 'string') return [];
    const taken = first.get(name);
    if (taken === undefined) first.set(name, path);
    return taken === undefined ? [] : [{ path: `${path}.name`, message: `is that of ${taken}, must be its own` }];
  });
}

function unitProblems({ fields: { unit }, path }: Place): Problem[] {
  if (typeof unit !== 'string' || unit.trim() === '' || isUcum(unit.trim())) return [];
  const message = `is ${JSON.stringify(unit.slice(0, 40))}, must be a unit of UCUM, as mmol/L, 10*9/L, mm[Hg], Cel or %`;
  return [{ path: `${path}.unit`, message }];
}

/** Finds units that cannot be compared for one code: such a mistake would otherwise show only as missing alerts. */
function comparisonProblems(places: readonly Place[]): Problem[] {
  const first = new Map<string, Place & { unit: string }>();
  return places.flatMap((place) => {
    const { fields, path } = place;
    const unit = typeof fields.unit === 'string' ? fields.unit.trim() : '';
    if (!isUcum(unit)) return [];
    const others = quantitiesOf(fields).flatMap((quantity) => {
      const other = first.get(quantity);
      if (other === undefined) first.set(quantity, { ...place, unit });
      return other === undefined ? [] : [other];
    });
    const other = others.find((one) => !canCompare(unit, one.unit, [fields, one.fields]));
    if (other === undefined) return [];
    const needs = 'must be comparable, by itself or with a molarMass or charge';
    return [
      { path: `${path}.unit`, message: `is ${unit}, that of ${other.path} for the same code ${other.unit}: ${needs}` },
    ];
  });
}

function canCompare(from: string, to: string, rules: readonly Fields[]): boolean {
  return rules.some(({ molarMass, charge }) => {
    const analyte = { molarMass: positiveOf(molarMass), charge: positiveOf(charge) };
    return typeof conversionOf(from, to, analyte) !== 'string';
  });
}

/** Returns a name for each pair of code and component of a rule. */
function quantitiesOf({ code, component }: Fields): string[] {
  const components = component === undefined ? [''] : namesOf(component);
  return namesOf(code).flatMap((name) => components.map((inner) => `${name} ${inner}`));
}

function namesOf(codes: unknown): string[] {
  return [codes].flat().flatMap((code) => {
    if (typeof code === 'string') return [`${LOINC}|${code}`];
    return isFields(code) ? [`${String(code.system)}|${String(code.code)}`] : [];
  });
}

function positiveOf(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 ? value : undefined;
}

function has(fields: Fields, name: string): boolean {
  return fields[name] !== undefined;
}
