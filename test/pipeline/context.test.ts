import { createTestKit, fhirEvent } from '../../src/testing/index.js';
import { defineWorkflow, fhir, type Row } from '../../src/workflow.js';

const v1 = fhirEvent({ resourceId: 'p1', version: 1 });
const other = fhirEvent({ resourceId: 'p2', version: 1 });

/** Writes one row, for whatever resource. */
function writer(wanted: Row | 'remove') {
  return defineWorkflow({
    name: 'writer',
    on: fhir('*'),
    ordering: 'latest',
    async handle(_event, { tables }) {
      await tables('state').change('p', 'k', () => wanted);
    },
  });
}

describe('a row of a workflow with ordering latest', () => {
  it('given it was written under a higher fence, then a former holder of the resource is refused', async () => {
    const kit = createTestKit();
    await kit.run(writer({ by: 'later' }), v1, { fence: 2 });

    const former = await kit.run(writer({ by: 'former' }), v1, { fence: 1 });

    expect(former).toMatchObject({ code: 'lease-lost' });
    expect(kit.rows('state')).toEqual([{ partition: 'p', key: 'k', row: { by: 'later' } }]);
  });

  it('given it was removed under a higher fence, then a former holder cannot bring it back', async () => {
    const kit = createTestKit();
    await kit.run(writer({ by: 'later' }), v1, { fence: 2 });
    await kit.run(writer('remove'), v1, { fence: 3 });

    const former = await kit.run(writer({ by: 'former' }), v1, { fence: 1 });

    expect(former).toMatchObject({ code: 'lease-lost' });
    expect(await kit.tables('state').get('p', 'k')).toBeUndefined();
  });

  it('given it was written for another resource, then fences do not compare', async () => {
    const kit = createTestKit();
    await kit.run(writer({ by: 'other' }), other, { fence: 9 });

    expect(await kit.run(writer({ by: 'mine' }), v1, { fence: 1 })).toEqual({ kind: 'completed' });
  });
});

describe('what a workflow may not do', () => {
  const touching = (table: string, row: Row = {}) =>
    defineWorkflow({
      name: 'touching',
      on: fhir('*'),
      handle: (_event, { tables }) => tables(table).change('p', 'k', () => row),
    });

  it.each(['ledger20260314', 'waiting', 'Watermarks'])('given table %s, then it is refused for good', async (table) => {
    expect(await createTestKit().run(touching(table), v1)).toMatchObject({ kind: 'dead', code: 'reserved-table' });
  });

  it("given a property that begins with '_', then it is refused for good", async () => {
    const result = await createTestKit().run(touching('state', { _fence: 9 }), v1);

    expect(result).toMatchObject({ kind: 'dead', code: 'reserved-property' });
  });

  it('given a sentence as the code of a log line, then only that there was one is logged', async () => {
    const kit = createTestKit();
    const talkative = defineWorkflow({
      name: 'talkative',
      on: fhir('*'),
      handle: (_event, { log }) => log.info('Jane Doe, born 1970', { 'weight-kg': 70 }),
    });

    await kit.run(talkative, v1);

    expect(kit.logged).toEqual([{ level: 'info', code: 'code-not-a-word', numbers: { 'weight-kg': 70 } }]);
  });
});
