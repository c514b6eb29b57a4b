import { isResourceType } from '../../fhir-types.js';
import type { Call, Result } from './call.js';
import { invalid, refuse } from './content/outcome.js';
import { checkId } from './content/resource-rules.js';
import { readCurrent, readHistory, readVersion, searchResources } from './reads.js';
import { readSummary } from './search/search-options.js';
import type { Store } from './store/store.js';
import type { Writes } from './writes.js';

type Deps = {
  readonly store: Store;
  readonly writes: Writes;
  readonly now: () => Date;
  readonly capabilities: (base: string) => string;
  readonly postBundle: (call: Call) => Result;
};

type Handlers = Readonly<Record<string, () => Result>>;

/** Runs the operation that a call names. HEAD runs as GET; the service removes the body of the answer. */
export function route(deps: Deps, call: Call): Result {
  const { method, segments, query } = call;
  checkQuery(query);
  const operation = segments.find((segment) => segment.startsWith('$'));
  if (operation !== undefined) {
    throw refuse(405, 'not-supported', `The requested operation '${operation}' is not supported.`);
  }
  const [first] = segments;
  const handlers =
    first !== undefined && isResourceType(first) ? handlersOfType(deps, call, first) : handlersOfAll(deps, call);
  if (!handlers) throw routeNotFound(call);
  const name = method === 'HEAD' ? 'GET' : method;
  const handle = Object.hasOwn(handlers, name) ? handlers[name] : undefined;
  if (handle) return handle();
  const allowed = Object.keys(handlers).join(', ');
  throw refuse(405, 'not-supported', `${method} is not supported for '/${segments.join('/')}'. Use ${allowed}.`);
}

/** Throws a FhirError for wrong values of the parameters that describe an answer. Every request may have them. */
function checkQuery(query: URLSearchParams): void {
  const pretty = query.get('_pretty');
  if (pretty !== null && !/^\s*(true|false)\s*$/i.test(pretty)) {
    throw invalid(`The requested "_pretty" parameter is '${pretty}'. Use true or false.`);
  }
  readSummary(query.get('_summary') ?? undefined, () => {});
  if (query.get('_elements')?.trim() === '') throw invalid("'_elements' is empty. Name elements, as in id,name.");
}

function handlersOfAll(deps: Deps, call: Call): Handlers | undefined {
  const { store, now } = deps;
  const search = (isForm: boolean) => searchResources(store, call, { resourceType: undefined, isForm, now: now() });
  switch (call.segments.join('/')) {
    case '':
      return { GET: () => search(false), POST: () => deps.postBundle(call) };
    case 'metadata':
      return { GET: () => ({ kind: 'text', status: 200, text: deps.capabilities(call.base) }) };
    case '_history':
      return { GET: () => readHistory(store, call, { now: now() }) };
    case '_search':
      return { POST: () => search(true) };
    default:
      return undefined;
  }
}

function handlersOfType({ store, writes, now }: Deps, call: Call, resourceType: string): Handlers | undefined {
  const [, second, third, fourth] = call.segments;
  const { length } = call.segments;
  const search = (isForm: boolean) => searchResources(store, call, { resourceType, isForm, now: now() });
  if (second === undefined) {
    return {
      GET: () => search(false),
      POST: () => writes.create(call, resourceType),
      PUT: () => writes.updateWhere(call, resourceType),
      PATCH: () => writes.patchWhere(call, resourceType),
      DELETE: () => writes.removeWhere(call, resourceType),
    };
  }
  if (length === 2 && second === '_search') return { POST: () => search(true) };
  if (length === 2 && second === '_history') {
    return { GET: () => readHistory(store, call, { resourceType, now: now() }) };
  }
  if (length > 4 || (third !== undefined && third !== '_history')) return undefined;
  checkId(second);
  if (fourth !== undefined) return { GET: () => readVersion(store, { resourceType, id: second, versionId: fourth }) };
  if (third !== undefined) return { GET: () => readHistory(store, call, { resourceType, id: second, now: now() }) };
  return {
    GET: () => readCurrent(store, resourceType, second),
    PUT: () => writes.update(call, resourceType, second),
    PATCH: () => writes.patch(call, resourceType, second),
    DELETE: () => writes.remove(call, resourceType, second),
  };
}

function routeNotFound({ segments }: Call): Error {
  const [first = '', second, third] = segments;
  if (!isResourceType(first)) {
    return refuse(404, 'not-found', `The requested route was not found: '${first}' is not a type of FHIR R4.`);
  }
  const isCompartment = isResourceType(third);
  const hint = isCompartment ? ` Compartments are not supported: ask for ${third}?patient=${first}/${second}.` : '';
  return refuse(404, 'not-found', `The requested route was not found.${hint}`);
}
