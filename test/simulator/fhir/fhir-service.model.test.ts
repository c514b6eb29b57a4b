import fc from 'fast-check';
import { createFhirWorld, currentOf, type FhirWorld, idsOf, PATCH, patient } from './fhir-world.js';

/** A model of the service, as simple as possible: whole lists, no index, no text. */
type ModelVersion = { id: string; version: number; method: string; content: Content | undefined };
type Content = { active: boolean; code: number };
type Model = { readonly history: ModelVersion[]; readonly events: string[] };

type Write =
  | { kind: 'put'; id: number; content: Content; match: number | undefined }
  | { kind: 'delete'; id: number; isHard: boolean }
  | { kind: 'patch'; id: number; active: boolean; isTested: boolean }
  | { kind: 'put-where'; code: number; content: Content }
  | { kind: 'delete-where'; code: number; count: number | undefined };
type Operation =
  | Write
  | { kind: 'bundle'; type: 'batch' | 'transaction'; writes: readonly (Write & { kind: 'put' | 'delete' })[] };

const IDS = ['a', 'b', 'c', 'd'];
const content = fc.record({ active: fc.boolean(), code: fc.integer({ min: 0, max: 2 }) });
const id = fc.integer({ min: 0, max: IDS.length - 1 });
const put = fc.record({
  kind: fc.constant('put' as const),
  id,
  content,
  match: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined, freq: 6 }),
});
const remove = fc.record({ kind: fc.constant('delete' as const), id, isHard: fc.boolean() });
const softRemove = fc.record({ kind: fc.constant('delete' as const), id, isHard: fc.constant(false) });
const patch = fc.record({ kind: fc.constant('patch' as const), id, active: fc.boolean(), isTested: fc.boolean() });
const code = fc.integer({ min: 0, max: 2 });
const putWhere = fc.record({ kind: fc.constant('put-where' as const), code, content });
const removeWhere = fc.record({
  kind: fc.constant('delete-where' as const),
  code,
  count: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
});
const bundle = fc.record({
  kind: fc.constant('bundle' as const),
  type: fc.constantFrom('batch' as const, 'transaction' as const),
  writes: fc.array(fc.oneof(put, softRemove), { maxLength: 5 }),
});
const others = [remove, patch, putWhere, removeWhere, bundle];
const operation: fc.Arbitrary<Operation> = fc.oneof({ arbitrary: put, weight: 4 }, ...others);

describe('when random requests come in random order', () => {
  it('given any writes, then versions, histories, searches and events are those of a plain list', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 40 }), (operations) => {
        const world = createFhirWorld();
        const model: Model = { history: [], events: [] };

        for (const one of operations) {
          expect(statusOf(world, one)).toBe(apply(model, one));
          expect(world.events().sort()).toEqual(model.events.splice(0).sort());
          expectSame(world, model);
        }
      }),
      { numRuns: 150 },
    );
  });
});

function expectSame({ ask, service }: FhirWorld, model: Model): void {
  for (const id of IDS) {
    const versions = model.history.filter((version) => version.id === id);
    const current = versions.at(-1);
    expect(currentOf(service, 'Patient', id)).toEqual(
      current && { version: current.version, deleted: current.content === undefined },
    );
    expect(ask('GET', `Patient/${id}`).status).toBe(
      current === undefined ? 404 : current.content === undefined ? 410 : 200,
    );
    for (const { version, content } of versions) {
      const answer = ask('GET', `Patient/${id}/_history/${version}`);
      expect(answer.status).toBe(content === undefined ? 410 : 200);
      if (content) expect(answer.json).toMatchObject(resourceOf(id, content));
    }
  }
  const published = ask('GET', 'Patient/_history?_count=1000').json.entry ?? [];
  expect(published.map(({ request, response }) => `${request?.method} ${request?.url} ${response?.etag}`)).toEqual(
    [...model.history].reverse().map(({ method, id, version }) => `${method} Patient/${id} W/"${version}"`),
  );
  expect(idsOf(ask('GET', 'Patient?_count=1000').json)).toEqual(current(model).map(({ id }) => id));
  for (const code of [0, 1, 2]) {
    expect(idsOf(ask('GET', `Patient?identifier=s|${code}`).json)).toEqual(matches(model, code).map(({ id }) => id));
  }
  expect(service.counts).toMatchObject({ resources: current(model).length, versions: model.history.length });
}

function statusOf({ ask }: FhirWorld, op: Operation): number | string {
  switch (op.kind) {
    case 'put': {
      const headers: Record<string, string> = op.match === undefined ? {} : { 'if-match': `W/"${op.match}"` };
      return ask('PUT', `Patient/${IDS[op.id]}`, resourceOf(IDS[op.id] ?? '', op.content), headers).status;
    }
    case 'delete':
      return ask('DELETE', `Patient/${IDS[op.id]}${op.isHard ? '?hardDelete=true' : ''}`).status;
    case 'patch': {
      const test = { op: 'test', path: '/active', value: true };
      const replace = { op: 'replace', path: '/active', value: op.active };
      return ask('PATCH', `Patient/${IDS[op.id]}`, op.isTested ? [test, replace] : [replace], PATCH).status;
    }
    case 'put-where': {
      const { id: _none, ...resource } = resourceOf('', op.content);
      // The search matches nothing without this id, and the service would choose an id that the model does not know.
      return ask('PUT', `Patient?identifier=s|${op.code}`, { ...resource, id: 'd' }).status;
    }
    case 'delete-where':
      return ask('DELETE', `Patient?identifier=s|${op.code}${op.count === undefined ? '' : `&_count=${op.count}`}`)
        .status;
    case 'bundle': {
      const entry = op.writes.map((write) => ({
        request: {
          method: write.kind === 'put' ? 'PUT' : 'DELETE',
          url: `Patient/${IDS[write.id]}`,
          ...(write.kind === 'put' && write.match !== undefined && { ifMatch: `W/"${write.match}"` }),
        },
        ...(write.kind === 'put' && { resource: resourceOf(IDS[write.id] ?? '', write.content) }),
      }));
      const { status, json } = ask('POST', '', { resourceType: 'Bundle', type: op.type, entry });
      return status === 200 ? (json.entry ?? []).map(({ response }) => response?.status).join(' ') : status;
    }
    default:
      throw new TypeError(`unhandled ${JSON.stringify(op satisfies never)}`);
  }
}

function apply(model: Model, op: Operation): number | string {
  switch (op.kind) {
    case 'put':
      return store(model, IDS[op.id] ?? '', op.content, 'PUT', op.match);
    case 'delete':
      return removeFrom(model, IDS[op.id] ?? '', op.isHard);
    case 'patch': {
      const found = lastOf(model, IDS[op.id] ?? '');
      if (!found) return 404;
      if (!found.content) return 410;
      if (op.isTested && !found.content.active) return 400;
      return store(model, found.id, { ...found.content, active: op.active }, 'PATCH');
    }
    case 'put-where': {
      const found = matches(model, op.code);
      if (found.length > 1) return 412;
      if (found[0] && found[0].id !== 'd') return 400;
      return store(model, 'd', op.content, 'PUT');
    }
    case 'delete-where': {
      const found = matches(model, op.code);
      if (found.length > 1 && (op.count ?? 1) === 1) return 412;
      for (const { id } of found.slice(0, op.count ?? 1)) removeFrom(model, id, false);
      return 204;
    }
    case 'bundle': {
      const isTwice = new Set(op.writes.map((write) => write.id)).size < op.writes.length;
      if (op.type === 'transaction' && isTwice) return 400;
      const before = { history: [...model.history], events: [...model.events] };
      const statuses: number[] = [];
      for (const kind of ['delete', 'put']) {
        for (const [n, write] of op.writes.entries())
          if (write.kind === kind) statuses[n] = Number(apply(model, write));
      }
      const failed = firstFailure(op.writes, statuses);
      if (op.type === 'batch' || failed === undefined) return statuses.join(' ');
      model.history.splice(0, model.history.length, ...before.history);
      model.events.splice(0, model.events.length, ...before.events);
      return failed;
    }
    default:
      throw new TypeError(`unhandled ${JSON.stringify(op satisfies never)}`);
  }
}

function firstFailure(writes: readonly Write[], statuses: readonly number[]): number | undefined {
  const puts = statuses.filter((_, n) => writes[n]?.kind === 'put');
  return puts.find((status) => status >= 400);
}

function store(model: Model, id: string, content: Content, method: string, match?: number): number {
  const found = lastOf(model, id);
  if (match !== undefined && !found) return 404;
  if (match !== undefined && found?.version !== match) return 412;
  if (found && JSON.stringify(found.content) === JSON.stringify({ ...content })) return 200;
  const version = (found?.version ?? 0) + 1;
  model.history.push({ id, version, method, content: { active: content.active, code: content.code } });
  model.events.push(`Patient/${id} ${version === 1 ? 'created' : 'updated'} ${version}`);
  return version === 1 ? 201 : 200;
}

function removeFrom(model: Model, id: string, isHard: boolean): number {
  const found = lastOf(model, id);
  if (isHard) model.history.splice(0, model.history.length, ...model.history.filter((version) => version.id !== id));
  else if (found?.content) {
    model.history.push({ id, version: found.version + 1, method: 'DELETE', content: undefined });
    model.events.push(`Patient/${id} deleted ${found.version + 1}`);
  }
  return 204;
}

function lastOf(model: Model, id: string): ModelVersion | undefined {
  return model.history.findLast((version) => version.id === id);
}

/** Returns the resources that are not deleted, in the order of their last change. */
function current(model: Model): ModelVersion[] {
  return model.history.filter((version) => lastOf(model, version.id) === version && version.content !== undefined);
}

function matches(model: Model, code: number): ModelVersion[] {
  return current(model).filter((version) => version.content?.code === code);
}

function resourceOf(id: string, { active, code }: Content): Record<string, unknown> {
  return patient(id, { active, identifier: [{ system: 's', value: String(code) }] });
}
