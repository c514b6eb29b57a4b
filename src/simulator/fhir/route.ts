import type { Call, Result } from './call.js';
import { checkQuery } from './check-query.js';
import { refuse } from './content/outcome.js';
import { checkId } from './content/resource-rules.js';
import { isResourceType } from './content/resource-types.js';
import { readCurrent, readHistory, readVersion, searchResources } from './reads.js';
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
  const { segments } = call;
  checkQuery(call.query);
  const [first, second, third, fourth] = segments;
  if (segments.some((segment) => segment.startsWith('$'))) {
    const name = segments.find((segment) => segment.startsWith('$'));
    throw refuse(405, 'not-supported', `The requested operation '${name}' is not supported.`);
  }
  if (first === undefined) return pick(call, { GET: () => searchAll(false), POST: () => deps.postBundle(call) });
  if (segments.length === 1 && first === 'metadata') {
    return pick(call, { GET: () => ({ kind: 'text', status: 200, text: deps.capabilities(call.base) }) });
  }
  if (segments.length === 1 && first === '_history') {
    return pick(call, { GET: () => readHistory(deps.store, call, { now: deps.now() }) });
  }
  if (segments.length === 1 && first === '_search') return pick(call, { POST: () => searchAll(true) });
  if (!isResourceType(first)) throw routeNotFound(call);
  if (second === undefined) return ofType(deps, call, first);
  if (segments.length === 2 && second === '_search')
    return pick(call, { POST: () => searchType(deps, call, first, true) });
  if (segments.length === 2 && second === '_history') {
    return pick(call, { GET: () => readHistory(deps.store, call, { resourceType: first, now: deps.now() }) });
  }
  if (third === undefined) return ofInstance(deps, call, first, second);
  if (third === '_history' && segments.length === 3) {
    checkId(second);
    return pick(call, {
      GET: () => readHistory(deps.store, call, { resourceType: first, id: second, now: deps.now() }),
    });
  }
  if (third === '_history' && segments.length === 4 && fourth !== undefined) {
    checkId(second);
    return pick(call, { GET: () => readVersion(deps.store, first, second, fourth) });
  }
  throw routeNotFound(call);

  function searchAll(isForm: boolean): Result {
    return searchResources(deps.store, call, { resourceType: undefined, isForm, now: deps.now() });
  }
}

function ofType(deps: Deps, call: Call, resourceType: string): Result {
  const { writes } = deps;
  return pick(call, {
    GET: () => searchType(deps, call, resourceType, false),
    POST: () => writes.create(call, resourceType),
    PUT: () => writes.updateWhere(call, resourceType),
    PATCH: () => writes.patchWhere(call, resourceType),
    DELETE: () => writes.removeWhere(call, resourceType),
  });
}

function ofInstance({ store, writes }: Deps, call: Call, resourceType: string, id: string): Result {
  checkId(id);
  return pick(call, {
    GET: () => readCurrent(store, resourceType, id),
    PUT: () => writes.update(call, resourceType, id),
    PATCH: () => writes.patch(call, resourceType, id),
    DELETE: () => writes.remove(call, resourceType, id),
  });
}

function searchType({ store, now }: Deps, call: Call, resourceType: string, isForm: boolean): Result {
  return searchResources(store, call, { resourceType, isForm, now: now() });
}

function pick({ method, segments }: Call, handlers: Handlers): Result {
  const name = method === 'HEAD' ? 'GET' : method;
  const handle = Object.hasOwn(handlers, name) ? handlers[name] : undefined;
  if (handle) return handle();
  const allowed = Object.keys(handlers).join(', ');
  throw refuse(405, 'not-supported', `${method} is not supported for '/${segments.join('/')}'. Use ${allowed}.`);
}

function routeNotFound({ segments }: Call): Error {
  const [first = '', second, third] = segments;
  if (!isResourceType(first))
    return refuse(404, 'not-found', `The requested route was not found: '${first}' is not a type of FHIR R4.`);
  const hint = isResourceType(third)
    ? ` Compartments are not supported: ask for ${third}?patient=${first}/${second}.`
    : '';
  return refuse(404, 'not-found', `The requested route was not found.${hint}`);
}
