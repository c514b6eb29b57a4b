import { inspect } from 'node:util';
import * as z from 'zod';
import { exportTelemetry } from '../../src/functions/export-telemetry.js';
import { registerFunctions } from '../../src/functions/register.js';
import {
  type Context,
  defineWorkflow,
  fhir,
  lookup,
  NonRetriableError,
  ReadError,
  RetryAfterError,
  seconds,
  type TaskContext,
  type WorkflowLog,
} from '../../src/workflow.js';
import { createFakeFunctions } from '../functions/fake-functions.js';
import { composeMemoryApp } from '../functions/memory-app.js';
import { printed, WHOLE } from '../pipeline/marked-world.js';
import { allThatFollows, watched } from '../pipeline/memory-app.js';
import { rawFhirEvent } from '../testing/raw-events.js';
import { type StandIn, startStandIn } from './stand-in.js';

// Promise 5 of ARCHITECTURE.md, for content that a handler has read. The event holds none of these values, so no comparison
// with the event can find and remove them. The service answers with a patient, and the workflow puts the name wherever an
// error or a log has a place.

const PATIENT = { resourceType: 'Patient', id: 'patient-1', name: [{ family: 'Muellerphi' }], birthDate: '1970-01-31' };
const MARK = /muellerphi|1970-01-31/i;
const TRACE_PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const KEY = '00000000-0000-0000-0000-00000000000a';

type Way = (family: string, born: string) => unknown;

/** By the name of a workflow: the value that its handler throws, with the patient's name in it. */
const WAYS: Record<string, Way> = {
  message: (family, born) => new NonRetriableError(`cannot merge ${family}, born ${born}`),
  'message-of-a-try': (family) => new Error(`no answer for ${family}`),
  code: (family) => Object.assign(new Error('no'), { code: family }),
  'code-in-kebab-case': (family) => Object.assign(new Error('no'), { code: `merge-${family.toLowerCase()}` }),
  'fatal-code': (family) => new NonRetriableError('no', { code: family }),
  'later-code': (family) => new RetryAfterError('no', seconds(5), { code: family }),
  'read-code': (family) => new ReadError(family, 'no'),
  name: (family) => Object.assign(new Error('no'), { name: family }),
  'name-of-a-class': (family) => new (classNamed(family))('no'),
  cause: (family) => new NonRetriableError('no', { cause: new Error(family) }),
  aggregate: (family) => new AggregateError([new Error(family)], family),
  text: (family) => family,
  object: (family, born) => ({ code: family, name: family, message: family, born }),
};

const classNamed = (name: string) => ({ [name]: class extends Error {} })[name] as ErrorConstructor;
const withLog = (context: Pick<Context, 'log'>) => context.log as WorkflowLog<string>;

function workflowsOf() {
  const seen: string[] = [];
  const workflows = Object.entries(WAYS).map(([way, errorOf]) =>
    defineWorkflow({
      name: way,
      on: fhir('Patient'),
      codes: ['merge-refused', 'tries'],
      retry: { tries: 2, from: seconds(5), to: seconds(5) },
      async handle(_event, context) {
        const patient = await context.resource.current();
        const [family = '', born = ''] = [patient?.name?.[0]?.family, patient?.birthDate];
        seen.push(family);
        context.log.info('merge-refused', { tries: 2 });
        const log = withLog(context);
        log.info(family);
        log.warn(`saw ${family}`, { [family]: 1, [born]: 2 });
        log.error(born, { tries: 3 });
        throw errorOf(family, born);
      },
      lookup: lookup({
        name: way.slice(0, 31),
        query: z.object({}),
        answer: async () => {
          throw errorOf('Muellerphi', '1970-01-31');
        },
      }),
      task: {
        name: `${way.replaceAll('-', '')}Task`,
        schedule: '0 * * * * *',
        async run(context: TaskContext) {
          withLog(context).warn('Muellerphi', { Muellerphi: 1 });
          throw errorOf('Muellerphi', '1970-01-31');
        },
      },
    }),
  );
  return { workflows, seen };
}

let collector: StandIn;
let insights: StandIn;
beforeEach(async () => {
  [collector, insights] = await Promise.all([startStandIn(), startStandIn()]);
  insights.answers((response, { body }) => {
    const items = JSON.parse(body.toString()).length;
    response.end(JSON.stringify({ itemsReceived: items, itemsAccepted: items, errors: [] }));
  });
});
afterEach(() => Promise.all([collector.stop(), insights.stop()]));

async function startWorld() {
  const { workflows, seen } = workflowsOf();
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    APPLICATIONINSIGHTS_CONNECTION_STRING: `InstrumentationKey=${KEY};IngestionEndpoint=${insights.url}/`,
    OTEL_TRACES_SAMPLER: 'always_on',
    LOOKUPS: 'on',
  };
  const composed = composeMemoryApp({ workflows, env });
  const { app, clock } = composed;
  app.readers.answerInProcess(() => () => ({
    status: 200,
    headers: { 'content-type': 'application/fhir+json' },
    body: JSON.stringify(PATIENT),
  }));
  const functions = createFakeFunctions();
  registerFunctions(functions.app, app);
  exportTelemetry(functions.app, app);
  while (!app.telemetry.trace('deliver', undefined)) await allThatFollows();

  /** Calls a function. Returns its answer, or its error as the host prints it. */
  async function call(name: string, input?: unknown): Promise<unknown> {
    const answer = watched(functions.call(name, input, { traceContext: { traceParent: TRACE_PARENT } }));
    for (let waits = 0; waits < 200 && answer.state === 'open'; waits += 1) {
      await allThatFollows();
      if (answer.state === 'open') clock.advance(500);
    }
    return answer.state === 'rejected' ? inspect(answer.error, WHOLE) : answer.promise;
  }
  return { ...composed, functions, call, seen };
}

type World = Awaited<ReturnType<typeof startWorld>>;

const get = (params = {}, query: Record<string, string> = {}) => ({
  params,
  query: new URLSearchParams(query),
  headers: new Headers({ 'content-type': 'application/json' }),
  text: async () => '{}',
});

/** Delivers an event, runs its jobs to their ends, and asks all that a function key may ask. */
async function goThroughAll({ call, functions, stores, clock }: World): Promise<{ answers: unknown[]; ids: string[] }> {
  const answers = [await call('fhirEvents', [rawFhirEvent()])];
  for (let rounds = 0; rounds < 3; rounds += 1) {
    answers.push(await call('events', get({ eventId: 'event-1' })));
    clock.advance(15_000);
    await call('wakeDue');
    for (let text = stores.due.take(); text !== undefined; text = stores.due.take())
      answers.push(await call('redeliver', text));
  }
  for (const name of functions.names().filter((one) => one.endsWith('Task'))) answers.push(await call(name));
  for (const name of functions.names().filter((one) => one.startsWith('lookup-')))
    answers.push(await call(name, get()));
  for (const name of ['measureBacklog', 'stats', 'healthReady']) answers.push(await call(name, get()));
  answers.push(await call('events', get({ eventId: 'event-1' })));
  answers.push(await call('deadLetters', get({}, { by: 'reason,error,workflow' })));
  const listed = (await call('deadLetters', get())) as { jsonBody: { letters: { id: string }[] } };
  const ids = listed.jsonBody.letters.map(({ id }) => id);
  answers.push(listed);
  for (const id of ids) answers.push(await call('deadLetter', get({ id })));
  return { answers, ids };
}

async function end({ functions, lines, clock }: World): Promise<void> {
  const ended = functions.terminate();
  while (!lines.some((line) => line.includes('"stopped"'))) {
    await allThatFollows();
    clock.advance(500);
  }
  await ended;
}

const marked = (texts: readonly string[]) => texts.filter((text) => MARK.test(text)).map((text) => text.slice(0, 300));

describe('when a workflow puts content into errors and logs', () => {
  it('given each way out of the process, then content leaves only with the payload', async () => {
    const world = await startWorld();

    const { answers, ids } = await goThroughAll(world);
    await end(world);

    const records = world.app.stores.tables;
    const rows = (await records.list(''))
      .flatMap((table) => world.stores.tables.inspect(table))
      .map((row) => inspect(row, WHOLE));
    const blobs = await world.stores.deadLetters.list('', { limit: 1000 });
    expect(world.seen.every((family) => family === 'Muellerphi')).toBe(true);
    expect(world.seen.length).toBeGreaterThan(Object.keys(WAYS).length);
    expect(ids).toHaveLength(Object.keys(WAYS).length - 1); // one asks for more time
    expect(marked(answers.map((answer) => inspect(answer, WHOLE)))).toEqual([]);
    const whats = new Set(world.lines.map((line) => JSON.parse(line.replace(/^\w+ /, '')).what));
    for (const what of ['workflow', 'job-retries', 'job-waits', 'job-dead-lettered', 'lookup-failed', 'task-failed']) {
      expect(whats).toContain(what);
    }
    expect(marked([...world.lines, ...printed])).toEqual([]);
    expect(marked(rows)).toEqual([]);
    expect(marked([inspect(blobs, WHOLE)])).toEqual([]);
    for (const { received } of [collector, insights]) {
      expect(received.length).toBeGreaterThan(0);
      expect(
        marked(
          received.flatMap(({ url, headers, body }) => [
            url,
            inspect(headers),
            body.toString('utf8'),
            body.toString('latin1'),
          ]),
        ),
      ).toEqual([]);
    }
  });

  it('given a declared code, then the code is logged and exported; any other becomes undeclared-code', async () => {
    const world = await startWorld();

    await goThroughAll(world);
    await end(world);

    const codesOf = (what: string, field: string) =>
      new Set(
        world.lines
          .map((line) => JSON.parse(line.replace(/^\w+ /, '')))
          .flatMap((line) => (line.what === what ? line[field] : [])),
      );
    expect(codesOf('workflow', 'code')).toEqual(new Set(['merge-refused', 'undeclared-code']));
    const errorCodes = new Set(['non-retriable', 'undeclared-code', 'Error', 'AggregateError', 'thrown-value']);
    expect(codesOf('job-dead-lettered', 'errorCode')).toEqual(errorCodes);
    for (const { received } of [collector, insights]) {
      const sent = received.map(({ body }) => body.toString('latin1')).join();
      for (const code of ['merge-refused', 'undeclared-code']) expect(sent).toContain(code);
    }
    expect(world.lines).toContain(
      'warn {"what":"workflow","eventId":"event-1","type":"Microsoft.HealthcareApis.FhirResourceCreated","workflow":"code",' +
        '"resourceType":"Patient","code":"undeclared-code","numbers":{"undeclared-code":2}}',
    );
  });

  it('given a viewer who may see the payload, then the answer has the message, too', async () => {
    const world = await startWorld();
    const { ids } = await goThroughAll(world);

    const shown = await Promise.all(ids.map((id) => world.call('deadLetterPayload', get({ id }))));
    await end(world);

    expect(shown.map((one) => JSON.parse((one as { body: string }).body).message)).toContain(
      'cannot merge Muellerphi, born 1970-01-31',
    );
  });
});
