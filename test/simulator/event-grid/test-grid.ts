import type { Clock } from '../../../src/clock.js';
import { EventGrid, type EventGridDeps } from '../../../src/simulator/event-grid/event-grid.js';
import { AS_USUAL, type Interference } from '../../../src/simulator/event-grid/interference.js';
import type { PostAnswer, PostRequest } from '../../../src/simulator/event-grid/send.js';
import type { TopicEvent } from '../../../src/simulator/event-grid/topic-event.js';
import { seededRandom } from '../../../src/simulator/seeded.js';
import { createFakeClock } from '../../../src/testing/index.js';

/** The answer of an endpoint: a status, a full answer, no answer, or a closed connection. */
export type Answer = number | Partial<PostAnswer> | 'never' | Error | Promise<number>;

/** A request that the endpoint got; the delivered ids are `ids`. */
export type Got = {
  atMs: number;
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string;
  ids: string[];
  signal: AbortSignal;
};

export type Blob = { atMs: number; container: string; name: string; events: Record<string, unknown>[] };

export type TestGrid = {
  grid: EventGrid;
  got: Got[];
  blobs: Blob[];
  /** Moves the clock; timers fire at their own times. */
  pass(ms: number): Promise<void>;
  /** Publishes events, and lets some time pass. */
  send(events: readonly TopicEvent[], ms: number): Promise<void>;
  now(): number;
  timers(): number;
};

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const noInterference: Interference = {
  copiesOf: () => [0],
  treatmentOf: () => AS_USUAL,
  isDown: () => false,
};

/** An event grid on a clock of the test's, before an endpoint that follows a script. */
export function createTestGrid(
  answer: (got: Got, n: number) => Answer = () => 200,
  { seed = 1, ...deps }: Partial<EventGridDeps> & { seed?: number } = {},
): TestGrid {
  const clock = createSteppingClock();
  const got: Got[] = [];
  const blobs: Blob[] = [];
  const post = async (request: PostRequest) => {
    const one = { ...request, atMs: clock.monotonic(), ids: idsIn(request.body) };
    got.push(one);
    return answerOf(answer(one, got.length), request);
  };
  const grid = new EventGrid({
    schedule: clock,
    clock,
    random: { ...seededRandom(seed), ...(seed === 0 ? { number: () => 0 } : {}) },
    post,
    async sendToQueue(url, body) {
      const request = { url, body, method: 'POST' as const, headers: {}, signal: new AbortController().signal };
      return (await post(request)).status;
    },
    async writeDeadLetter(container, name, content) {
      blobs.push({ atMs: clock.monotonic(), container, name, events: JSON.parse(content) });
    },
    interference: noInterference,
    functionUrl: (name) => `http://functions.test/${name}`,
    validationUrl: (code) => `http://simulator.test/validate?code=${code}`,
    ...deps,
  });
  const { pass, monotonic: now, timers } = clock;
  const send = (events: readonly TopicEvent[], ms: number) => {
    grid.publish(events);
    return pass(ms);
  };
  return { grid, got, blobs, pass, send, now, timers };
}

/** An event grid with the subscription `sub` of a function. */
export async function subscribe(
  answer?: (got: Got, n: number) => Answer,
  properties: Body = {},
  deps?: Parameters<typeof createTestGrid>[1],
): Promise<TestGrid> {
  const made = createTestGrid(answer, deps);
  await made.grid.put('sub', functionBody(properties));
  return made;
}

export function topicEvent(id: string, fields: Partial<TopicEvent> = {}): TopicEvent {
  return {
    id,
    type: 'Microsoft.HealthcareApis.FhirResourceCreated',
    subject: `test.fhir.example/Patient/${id}`,
    source: '/subscriptions/s/resourceGroups/g/providers/Microsoft.HealthcareApis/workspaces/w',
    time: '2026-01-01T12:00:00.0000000Z',
    data: { resourceType: 'Patient', resourceFhirId: id, resourceVersionId: 1 },
    dataVersion: '1',
    ...fields,
  };
}

export function topicEvents(count: number, prefix = 'e'): TopicEvent[] {
  return Array.from({ length: count }, (_, n) => topicEvent(`${prefix}${n}`));
}

type Body = { destination?: Record<string, unknown>; [property: string]: unknown };

/** A subscription of a function, which needs no handshake: schedule and statuses are nearly those of a webhook. */
export function functionBody({ destination = {}, ...properties }: Body = {}): unknown {
  const resourceId = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/app/functions/fhirEvents';
  return {
    properties: {
      destination: { endpointType: 'AzureFunction', properties: { resourceId, ...destination } },
      ...properties,
    },
  };
}

export function webhookBody({ destination = {}, ...properties }: Body = {}): unknown {
  const endpointUrl = 'https://hook.test/events?code=secret';
  return {
    properties: {
      destination: { endpointType: 'WebHook', properties: { endpointUrl, ...destination } },
      ...properties,
    },
  };
}

export const DEAD_LETTERS = {
  deadLetterDestination: { endpointType: 'StorageBlob', properties: { blobContainerName: 'undelivered' } },
};

/** Answers a validation event with its code, and everything else with what `then` says. */
export function agreeable(then: (got: Got, n: number) => Answer = () => 200): (got: Got, n: number) => Answer {
  return (got, n) => {
    if (got.headers['aeg-event-type'] !== 'SubscriptionValidation') return then(got, n);
    return { status: 200, body: JSON.stringify({ validationResponse: codeIn(got) }) };
  };
}

export function codeIn({ body }: Got): string {
  return JSON.parse(body)[0].data.validationCode;
}

/** The deliveries among the requests. */
export function deliveriesIn(got: readonly Got[]): Got[] {
  return got.filter(({ headers }) => headers['aeg-event-type'] === 'Notification');
}

/** Resolves when no event is pending, in real time. */
export async function untilIdle(grid: Pick<EventGrid, 'pending'>): Promise<void> {
  while (grid.pending() > 0) await new Promise((resolve) => setImmediate(resolve));
}

export async function turns(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

function idsIn(body: string): string[] {
  try {
    const parsed = JSON.parse(body);
    return [parsed].flat().map((event) => String(event.id));
  } catch {
    return [];
  }
}

function answerOf(answer: Answer, { signal }: PostRequest): Promise<PostAnswer> | PostAnswer {
  if (answer instanceof Promise) return answer.then((status) => answered({ status }));
  if (answer instanceof Error) throw answer;
  if (typeof answer === 'number') return answered({ status: answer });
  if (answer !== 'never') return answered(answer);
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}

function answered({ status = 200, headers = new Headers(), body = '' }: Partial<PostAnswer>): PostAnswer {
  return { status, headers, body };
}

/** Advances the clock from timer to timer, and lets promises run in between. */
function createSteppingClock(): Clock & { pass(ms: number): Promise<void>; timers(): number } {
  const clock = createFakeClock();
  const dues = new Map<object, number>();

  return {
    ...clock,
    timers: () => dues.size,
    after(ms, run) {
      const key = {};
      dues.set(key, clock.monotonic() + ms);
      const cancel = clock.after(ms, () => {
        dues.delete(key);
        run();
      });
      return () => {
        dues.delete(key);
        cancel();
      };
    },
    async pass(ms) {
      const untilMs = clock.monotonic() + ms;
      await turns();
      for (let next = Math.min(...dues.values()); next <= untilMs; next = Math.min(...dues.values())) {
        clock.advance(next - clock.monotonic());
        await turns();
      }
      clock.advance(untilMs - clock.monotonic());
      await turns();
    },
  };
}
