import { inspect } from 'node:util';
import type { Settings } from '../../src/pipeline/shared.js';
import type { Operation } from '../../src/storage/table-store.js';
import type { Counter, What } from '../../src/telemetry/telemetry.js';
import {
  type Context,
  dicom,
  fhir,
  type HealthEvent,
  NonRetriableError,
  RetryAfterError,
  seconds,
  type Workflow,
  type WorkflowLog,
} from '../../src/workflow.js';
import { countingWorkflow } from './held-workflow.js';
import { type Account, type App, createAccount, startApp, watched } from './memory-app.js';

// Promise 5 of ARCHITECTURE.md. Every value of an event but its id, types and time holds a mark; no mark may leave the process.

export const MARK = /m4rk3r|8157771\d\d|markerson/i;
export const NAME = 'Zoë M4RK3R';
export const RESOURCE = '7.M4RK3R';
export const HOST = 'm4rk3r.fhir.example';
export const NUMBER = 815_777_100;
export const SOURCE = '/subscriptions/s/resourceGroups/M4RK3R/providers/Microsoft.HealthcareApis/workspaces/m4rk3r';
export const TIME = '2026-01-01T12:00:00.000Z';
export const EXTRA = {
  patientName: NAME,
  contacts: [{ phone: `${NUMBER}` }, { notes: [NAME, NUMBER] }],
  ward: { bed: NAME },
};

type Fields = { id?: string; version?: number; change?: string; resourceId?: string; time?: string };

export function fhirRaw({
  id = 'e1',
  version = NUMBER,
  change = 'Updated',
  resourceId = RESOURCE,
  time = TIME,
}: Fields = {}) {
  return {
    id,
    topic: SOURCE,
    subject: `${HOST}/Patient/${resourceId}`,
    eventType: `Microsoft.HealthcareApis.FhirResource${change}`,
    eventTime: time,
    dataVersion: NAME,
    nurse: NAME,
    data: {
      resourceType: 'Patient',
      resourceFhirAccount: HOST,
      resourceFhirId: resourceId,
      resourceVersionId: version,
      ...EXTRA,
    },
  };
}

export function asCloudEvent({ id, topic, subject, eventType, eventTime, data }: ReturnType<typeof fhirRaw>) {
  return { specversion: '1.0', id, source: topic, subject, type: eventType, time: eventTime, nurse: NAME, data };
}

export function dicomRaw(id = 'e1') {
  const [imageStudyInstanceUid, imageSeriesInstanceUid, imageSopInstanceUid] = ['1', '2', '3'].map(
    (part) => `${part}.${NUMBER}.M4RK3R`,
  );
  return {
    ...fhirRaw({ id }),
    eventType: 'Microsoft.HealthcareApis.DicomImageCreated',
    data: {
      partitionName: NAME,
      imageStudyInstanceUid,
      imageSeriesInstanceUid,
      imageSopInstanceUid,
      serviceHostName: HOST,
      sequenceNumber: NUMBER,
      ...EXTRA,
    },
  };
}

export const WHOLE = { depth: 20, showHidden: true, maxStringLength: null, maxArrayLength: null };
export const PRINTS = ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const;
/** All that this test has printed. */
export const printed: string[] = [];

beforeEach(() => {
  printed.length = 0;
  const print = (...all: unknown[]) => void printed.push(all.map((one) => inspect(one, WHOLE)).join(' '));
  for (const method of PRINTS) jest.spyOn(console, method).mockImplementation(print);
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream);
    jest.spyOn(stream, 'write').mockImplementation((text, ...rest) => {
      print(text);
      return write(text, ...(rest as []));
    });
  }
});

afterEach(() => jest.restoreAllMocks());

/** An account that may fail, and that notes the names and keys of calls, which become parts of URLs. */
export function startWorld() {
  const inner = createAccount();
  const left: string[] = [];
  const thrown: string[] = [];
  const apps: App[] = [];
  let calls = 0;
  let failure: (number: number) => unknown = () => undefined;

  async function through(where: unknown, call: () => Promise<unknown>): Promise<unknown> {
    left.push(`storage ${JSON.stringify(where)}`);
    calls += 1;
    const error = failure(calls);
    if (error !== undefined) throw error;
    return call();
  }
  const account = {
    ...inner,
    tables: noting(inner.tables, through),
    blobs: noting(inner.blobs, through),
    due: noting(inner.due, through),
    dueLong: noting(inner.dueLong, through),
  } satisfies Account;
  const counted = (name: Counter) => apps.reduce((sum, app) => sum + app.counters[name], 0);

  return {
    account,
    calls: () => calls,
    failWith(next: (number: number) => unknown): void {
      failure = next;
    },
    start(workflows: Workflow[] = [], settings: Partial<Settings> = {}): App {
      const app = startApp(account, { workflows, settings });
      apps.push(app);
      return app;
    },
    /** Delivers, lets `ms` pass, and notes the error as the host would print it. */
    async deliver(app: App, events: unknown[], ms = 1000): Promise<unknown> {
      const answer = watched(app.pipeline.deliver(events));
      await account.pass(ms);
      if (answer.state !== 'rejected') return answer.state;
      const error = answer.error as Error;
      thrown.push(inspect(error, WHOLE), `${error.stack}`, String(error));
      left.push(`${error.stack}`, error.message);
      return error;
    },
    /** Lets `ms` pass, then does the work of the timer and of the queues. */
    async later(app: App, ms: number): Promise<void> {
      await account.pass(ms);
      await this.end(app.runDueRows());
    },
    /** Lets time pass until the promise is settled. */
    async end(promise: Promise<unknown>): Promise<void> {
      const seen = watched(promise);
      for (let tries = 0; tries < 100 && seen.state === 'open'; tries += 1) await account.pass(tries === 0 ? 0 : 5000);
      expect(seen.state).not.toBe('open');
    },

    whats: () => new Set(apps.flatMap(({ lines }) => lines.map((line) => JSON.parse(line.replace(/^\w+ /, '')).what))),
    counters: <C extends Counter>(...names: C[]) => Object.fromEntries(names.map((name) => [name, counted(name)])),

    /** The errors of the POSTs, as the host would print them. */
    thrown,
    /** Checks that the path was taken, and that no value of an event has left the process. */
    expectClean(whats: What[], counters: Partial<Record<Counter, number>>): void {
      expect([...this.whats()]).toEqual(expect.arrayContaining(whats));
      expect(this.counters(...(Object.keys(counters) as Counter[]))).toEqual(counters);
      const codes = ['ledger20260101', 'watermarks'].flatMap((table) =>
        inner.tables.inspect(table).map(({ row }) => `record ${row.errorCode}`),
      );
      const logged = apps.flatMap(({ lines, counters }) => [...lines, JSON.stringify(counters)]);
      const all = [...left, ...logged, ...codes, ...printed];
      expect(all.length).toBeGreaterThan(0);
      expect(all.filter((text) => MARK.test(text))).toEqual([]);
    },
  };
}

type Through = (where: unknown, call: () => Promise<unknown>) => Promise<unknown>;

/** The same store, each of whose calls goes through `through` with its names and keys, without contents. */
export function noting<Store extends object>(store: Store, through: Through): Store {
  const noted = Object.entries(store).map(([method, call]) => {
    if (method === 'inspect' || method === 'take') return [method, call];
    return [
      method,
      (...all: unknown[]) =>
        all[0] === 'appstate' ? call(...all) : through([method, ...namesOf(method, all)], () => call(...all)),
    ];
  });
  return Object.fromEntries(noted);
}

export function namesOf(method: string, [first, second, third]: unknown[]): unknown[] {
  if (method === 'commit') return [first, second, (third as Operation[]).map(({ key }) => key)];
  return method === 'create' ? [first] : [first, second, third];
}

/** Puts values of the event into every place from which they must not leak. */
export function logCarelessly(event: HealthEvent, context: Pick<Context, 'log'>): void {
  const log = context.log as WorkflowLog<string>;
  const id = event.service === 'fhir' ? event.resourceId : event.instanceUid;
  log.info(`saw ${NAME}`, { [NAME]: 1 });
  log.warn(id, { [id]: 2, [event.host]: 3, count: NAME as unknown as number });
  log.error(JSON.stringify(event), { [`v${event.version}.`]: Number.NaN });
}

export const quote = ({ host, version, ...event }: HealthEvent) =>
  `${NAME} of ${JSON.stringify(event)} at https://${host}/Patient/${RESOURCE}/_history/${version}`;

/** Errors that quote the event in every place an error has. */
export const ERRORS: Record<string, (event: HealthEvent) => unknown> = {
  message: (event) => new Error(quote(event)),
  code: (event) => Object.assign(new Error(quote(event)), { code: RESOURCE, name: NAME }),
  'number as code': (event) => Object.assign(new Error(quote(event)), { code: NUMBER, name: `${NUMBER}` }),
  cause: (event) => new Error(quote(event), { cause: { event, NAME } }),
  'many errors': (event) => new AggregateError([new Error(NAME)], quote(event)),
  text: (event) => quote(event),
  object: (event) => ({ ...event, name: NAME, message: NAME }),
};
export const FATAL = (event: HealthEvent) =>
  new NonRetriableError(quote(event), { code: NAME, cause: new Error(NAME) });
export const LATER = (event: HealthEvent) => new RetryAfterError(quote(event), seconds(5), { code: RESOURCE });

export function failing(error: (event: HealthEvent) => unknown, times = Number.POSITIVE_INFINITY, tries = 8) {
  return countingWorkflow(
    async (run, context, event) => {
      logCarelessly(event, context);
      if (run <= times) throw error(event);
    },
    { on: [fhir('*'), dicom()], retry: { tries } },
  );
}

export function expectLetters(account: Account, reasons: string[], raw?: unknown): void {
  const letters = [...account.blobs.inspect().values()].map((json) => JSON.parse(json));
  expect(letters.map(({ reason }) => reason).sort()).toEqual([...reasons].sort());
  for (const { event, ...rest } of letters) {
    expect(JSON.stringify(event)).toMatch(MARK);
    if (raw !== undefined) expect(event).toEqual(raw);
    expect(JSON.stringify(rest)).not.toMatch(MARK);
  }
}
