import * as api from '../../src/api/overview.js';
import { workflowList } from '../../src/api/workflows.js';
import { registerFunctions } from '../../src/functions/register.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import { createFakeClock } from '../../src/testing/index.js';
import { createFakeFunctions } from '../functions/fake-functions.js';
import { composeMemoryApp } from '../functions/memory-app.js';
import { countingWorkflow } from '../pipeline/held-workflow.js';
import {
  asCloudEvent,
  dicomRaw,
  ERRORS,
  FATAL,
  failing,
  fhirRaw,
  MARK,
  NAME,
  printed,
} from '../pipeline/marked-world.js';
import { allThatFollows } from '../pipeline/memory-app.js';
import { rawFhirEvent } from '../testing/raw-events.js';

// P1: every value of an event but its id, types and time holds a mark. No mark may be in a row or in an answer.

const GETS = { overview: api.overview, recent: api.recent, workflows: workflowList };

/** Two instances over one storage; the first gets the events, the second answers. */
async function createPair(workflows: Parameters<typeof composeMemoryApp>[0]) {
  const clock = createFakeClock();
  const tables = createMemoryTableStore({ clock });
  const [one, other] = [0, 1].map(() => {
    const functions = createFakeFunctions();
    const composed = composeMemoryApp({ ...workflows, clock, stores: { tables } });
    registerFunctions(functions.app, composed.app);
    return { ...composed, functions };
  }) as [App, App];
  for (const { functions } of [one, other]) await functions.start();
  await allThatFollows();
  return { clock, tables, one, other };
}
type App = ReturnType<typeof composeMemoryApp> & { functions: ReturnType<typeof createFakeFunctions> };

describe('when events whose values are marked have been processed', () => {
  const always = Number.POSITIVE_INFINITY;
  const workflows = [
    ...Object.keys(ERRORS).map((name, n) => ({
      ...failing(ERRORS[name] as never, always, 2).workflow,
      name: `fails-${n}`,
    })),
    { ...failing(FATAL).workflow, name: 'fatal' },
    countingWorkflow(() => {}, { name: 'latest', ordering: 'latest' }).workflow,
  ];
  const events = [
    ...[fhirRaw(), asCloudEvent(fhirRaw({ id: 'e2' })), dicomRaw('e3'), fhirRaw({ id: 'e4', version: 1 })],
    ...[NAME, { ...fhirRaw({ id: 'e5' }), data: NAME }, { ...fhirRaw({ id: 'e6' }), eventType: NAME }],
  ];

  it('given every outcome, then no value of an event is in a heartbeat or in an answer', async () => {
    const { clock, tables, one, other } = await createPair({ workflows });

    for (let times = 0; times < 3; times += 1) {
      await one.app.pipeline.deliver(events);
      clock.advance(15_000);
      await allThatFollows();
      await one.functions.call('wakeDue');
      await allThatFollows();
    }
    const rows = tables.inspect('instances');
    const answers: unknown[] = [];
    for (const { functions } of [one, other]) {
      for (const [name, schema] of Object.entries(GETS))
        answers.push(schema.parse((await functions.get(name)).jsonBody));
    }

    const { jobs } = api.recent.parse(answers[4]);
    expect(new Set(jobs.map(({ outcome }) => outcome))).toEqual(
      new Set(['completed', 'dead-lettered', 'retried', 'superseded']),
    );
    expect(rows.filter(({ row }) => String(row.recent).includes('"e1"'))).toHaveLength(1);
    const texts = [...rows, ...answers].map((all) => JSON.stringify(all));
    expect(texts.filter((text) => MARK.test(text))).toEqual([]);
    expect(printed.filter((text) => MARK.test(text))).toEqual([]);
    for (const { functions } of [one, other]) await functions.terminate();
  });

  it('given a row whose workflow the app does not know, then its name is in no heartbeat', async () => {
    const { clock, tables, one } = await createPair({ workflows: [] });
    const other = await createPair({ workflows: [failing(ERRORS.message as never, always).workflow] });
    await other.one.app.pipeline.deliver([rawFhirEvent()]);
    const [waiting] = other.tables.inspect('waiting');
    const row = JSON.parse(JSON.stringify(waiting?.row ?? {}).replaceAll('counting', 'm4rk3r'));
    await tables.commit('waiting', waiting?.partition ?? '', [{ kind: 'insert', key: waiting?.key ?? '', row }]);

    clock.advance(60_000);
    await allThatFollows();
    await one.app.pipeline.redeliver({ shard: waiting?.partition ?? '' });
    clock.advance(10_000);
    await allThatFollows();

    expect(one.app.instances.own().recent).toMatchObject([{ workflow: 'unknown', outcome: 'retried' }]);
    expect(JSON.stringify(tables.inspect('instances'))).not.toMatch(MARK);
  });
});
