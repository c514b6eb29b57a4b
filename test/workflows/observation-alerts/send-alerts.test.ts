import { createTestKit } from '../../../src/testing/index.js';
import type { TaskContext, WorkflowTable } from '../../../src/workflow.js';
import { addToOutbox, createSendAlerts } from '../../../src/workflows/observation-alerts/send-alerts.js';
import type { AlertCode } from '../../../src/workflows/observation-alerts/verdict.js';
import { createPostAlert } from '../../../src/workflows/observation-alerts/webhook.js';
import { isSigned, SECRET, startEndpoint } from './endpoint.js';

const LONG_MS = 60_000;
/** The time limit in tests whose endpoint never answers. */
const SHORT_MS = 250;
const HOUR_MS = 3_600_000;
const FIVE_PAST = 'Thu, 01 Jan 2026 12:05:00 GMT';
const REFUSED = 'http://127.0.0.1:1/hook';

let endpoint: Awaited<ReturnType<typeof startEndpoint>>;
beforeEach(async () => {
  endpoint = await startEndpoint();
});
afterEach(() => endpoint.stop());

/** The bodies of the received requests. */
const bodies = () => endpoint.received.map(({ body }) => JSON.parse(body));
const idsOf = () => endpoint.received.map(({ headers }) => headers['webhook-id']);

function start({ url = endpoint.url, timeoutMs = LONG_MS }: { url?: string; timeoutMs?: number } = {}) {
  const settings: Record<string, string> = { ALERT_WEBHOOK_URL: url, ALERT_WEBHOOK_SECRET: SECRET };
  const kit = createTestKit({ settings });
  const logged: string[] = [];
  const write = (code: string, numbers?: object) => void logged.push(`${code} ${JSON.stringify(numbers)}`);
  const ending = new AbortController();
  const context: TaskContext<AlertCode> = {
    tables: kit.tables,
    setting: (name) => settings[name],
    log: { info: write, warn: write, error: write },
    now: () => kit.clock.now(),
    signal: ending.signal,
  };
  const place = (key: string) => ({ partition: String(key.length % 8), key });
  const send = createSendAlerts(createPostAlert({ fetch, timeoutMs }));
  return {
    kit,
    logged,
    ending,
    context,
    send: (over: Partial<TaskContext<AlertCode>> = {}) => send({ ...context, ...over }),
    later: (ms: number) => kit.clock.advance(ms),

    /** The alert is written as the handler does it: first the row, then the list. */
    async raise(key = 'k', fields: Record<string, string | number> = {}): Promise<void> {
      const { partition } = place(key);
      await kit.tables('alerts').change(partition, key, (current) => ({
        sentRevision: 0,
        ...current,
        observationId: 'o-1',
        value: 6.5,
        status: 'active',
        revision: Number(current?.revision ?? 0) + 1,
        ...fields,
      }));
      await addToOutbox(await kit.tables('alerts').get(partition, key), place(key), context);
    },

    alert: (key = 'k') => kit.tables('alerts').get(place(key).partition, key),
    outbox: () => kit.rows('alertoutbox').map(({ row }) => row),
  };
}

describe('when an alert was raised', () => {
  it('given an endpoint that accepts, then the alert is sent once, signed, without internal columns', async () => {
    const { raise, send, alert, outbox } = start();
    await raise();

    await send();
    await send();

    expect(endpoint.received).toHaveLength(1);
    const [request] = endpoint.received as [(typeof endpoint.received)[0]];
    expect(JSON.parse(request.body)).toEqual({
      type: 'alert.active',
      timestamp: '2026-01-01T12:00:00.000Z',
      data: { observationId: 'o-1', value: 6.5, status: 'active', revision: 1 },
    });
    expect(request.headers).toMatchObject({ 'content-type': 'application/json', 'webhook-timestamp': '1767268800' });
    expect(request.headers['idempotency-key']).toBe(request.headers['webhook-id']);
    expect(isSigned(request)).toBe(true);
    expect(isSigned({ ...request, body: request.body.replace('6.5', '6.6') })).toBe(false);
    expect(await alert()).toMatchObject({ revision: 1, sentRevision: 1 });
    expect(outbox()).toEqual([]);
  });

  it('given an alert that changes and is withdrawn, then each revision is sent with its own key', async () => {
    const { raise, send } = start();
    await raise();
    await send();

    await raise('k', { value: 7 });
    await send();
    await raise('k', { status: 'withdrawn' });
    await send();

    const sent = bodies().map(({ type, data }) => `${type} ${data.value}`);
    expect(sent).toEqual(['alert.active 6.5', 'alert.active 7', 'alert.withdrawn 6.5']);
    expect(new Set(idsOf()).size).toBe(3);
  });

  it('given an alert that changes before it is sent, then only its newest state is sent', async () => {
    const { raise, send, outbox } = start();
    await raise();
    await raise('k', { value: 7 });

    await send();

    expect(bodies().map(({ data }) => data.value)).toEqual([7]);
    expect(outbox()).toEqual([]);
  });

  it('given an alert that changes during sending, then the next run sends the change', async () => {
    const { raise, send, alert } = start();
    await raise();
    endpoint.answers(async (response, nth) => {
      if (nth === 1) await raise('k', { value: 7 });
      response.writeHead(200).end('thanks');
    });

    await send();
    expect(await alert()).toMatchObject({ revision: 2, sentRevision: 0 });
    await send();

    expect(bodies().map(({ data }) => data.value)).toEqual([6.5, 7]);
    expect(await alert()).toMatchObject({ revision: 2, sentRevision: 2 });
  });

  it('given 500 alerts at once, then one run sends all', async () => {
    const { raise, send, outbox } = start();
    for (let n = 0; n < 500; n += 1) await raise(`${'k'.repeat(1 + (n % 8))}${n}`);

    await send();

    expect(new Set(idsOf()).size).toBe(500);
    expect(endpoint.received).toHaveLength(500);
    expect(outbox()).toEqual([]);
  });

  it('given more waiting entries than fit on a page, then the entries behind them are sent', async () => {
    const { raise, send, kit } = start();
    const waiting = { revision: 1, tries: 1, since: '', dueAt: '2026-01-02T00:00:00.000Z' };
    const list = kit.tables('alertoutbox');
    for (let n = 0; n < 1_001; n += 1) {
      await list.change('1', `a${String(n).padStart(5, '0')}`, () => waiting, { expect: 'absent' });
    }
    await raise('z');

    await send();

    expect(endpoint.received).toHaveLength(1);
  });

  it('given no webhook in the settings, then nothing is listed and nothing sent', async () => {
    const { raise, send, context, kit } = start();
    const setting = () => undefined;
    await raise();
    await kit.tables('alertoutbox').change('1', 'k', () => 'remove');
    await addToOutbox(await kit.tables('alerts').get('1', 'k'), { partition: '1', key: 'k' }, { ...context, setting });

    await send({ setting });

    expect(kit.rows('alertoutbox')).toEqual([]);
    expect(endpoint.received).toEqual([]);
  });
});

describe('when the endpoint does not take it', () => {
  it.each([
    { given: 'it answers 400', status: 400, headers: {}, waits: 10_000 },
    { given: 'it answers 503', status: 503, headers: {}, waits: 10_000 },
    { given: 'it wants a minute', status: 429, headers: { 'retry-after': '60' }, waits: 60_000 },
    { given: 'it names a time', status: 503, headers: { 'retry-after': FIVE_PAST }, waits: 300_000 },
    { given: 'it wants a day', status: 503, headers: { 'retry-after': '86400' }, waits: HOUR_MS },
    { given: 'it wants nonsense', status: 503, headers: { 'retry-after': 'soon' }, waits: 10_000 },
    { given: 'it sends elsewhere', status: 307, headers: { location: '/other' }, waits: 10_000 },
  ])('given $given, then the next try comes at that time, with the same key', async ({ status, headers, waits }) => {
    const { raise, send, later, logged } = start();
    await raise();
    endpoint.answers((response) => response.writeHead(status, headers).end());
    await send();

    later(waits - 1);
    await send();
    expect(endpoint.received).toHaveLength(1);
    later(1);
    endpoint.answers((response) => response.writeHead(204).end());
    await send();

    const ids = idsOf();
    expect(ids).toEqual([ids[0], ids[0]]);
    expect(endpoint.received.every((request) => isSigned(request))).toBe(true);
    expect(logged).toEqual(['alert-send-failed {"tries":1}']);
  });

  it('given an endpoint that never answers or does not listen, then it counts as a failure without URL or secret in the logs', async () => {
    for (const url of [endpoint.url, REFUSED]) {
      const { raise, send, logged, outbox, kit } = start({ url, timeoutMs: SHORT_MS });
      await raise();
      endpoint.answers(() => {});

      await send();

      expect(outbox()).toMatchObject([{ tries: 1, dueAt: '2026-01-01T12:00:10.000Z' }]);
      const traces = JSON.stringify([logged, kit.rows('alerts'), kit.rows('alertoutbox')]);
      expect(traces).not.toContain('127.0.0.1');
      expect(traces).not.toContain(SECRET.slice(6));
    }
  });

  it('given many failures, then the waits grow to an hour, and after a day a line says that the alert is given up', async () => {
    const { kit, raise, send, later, logged, alert, outbox } = start();
    await raise();
    endpoint.answers((response) => response.writeHead(500).end());
    const waits: number[] = [];
    for (let atMs = kit.clock.now().getTime(); waits.length < 60; atMs += waits.at(-1) ?? 0) {
      await send();
      const [row] = outbox();
      if (!row) break;
      waits.push(Date.parse(String(row.dueAt)) - atMs);
      later(waits.at(-1) ?? 0);
    }

    expect(waits.slice(0, 11).map((ms) => ms / 1000)).toEqual([10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]);
    expect(logged.at(-1)).toBe(`alert-not-sent {"tries":${waits.length + 1}}`);
    const hours = waits.reduce((a, b) => a + b, 0) / HOUR_MS;
    expect(Math.floor(hours)).toBe(24);
    expect(await alert()).toMatchObject({ revision: 1, sentRevision: 1, notSent: true });

    endpoint.answers((response) => response.writeHead(204).end());
    await raise('k', { status: 'withdrawn' });
    await send();
    expect(await alert()).toMatchObject({ revision: 2, sentRevision: 2 });
    expect(await alert()).not.toHaveProperty('notSent');
  });

  it('given five failures in a row, then the other alerts wait for the next run', async () => {
    const { raise, send, outbox } = start();
    for (let n = 0; n < 100; n += 1) await raise(`k${n + 1_000}`);
    endpoint.answers((response) => response.writeHead(500).end());

    await send();

    expect(endpoint.received.length).toBeGreaterThanOrEqual(5);
    expect(endpoint.received.length).toBeLessThanOrEqual(12); // eight at once, and those under way are not called back
    expect(outbox().filter(({ tries }) => tries === 0).length).toBeGreaterThanOrEqual(88);
  });

  it('given a process that ends while it waits for the answer, then the endpoint has not failed', async () => {
    const { raise, send, ending, outbox, logged } = start();
    await raise();
    endpoint.answers(() => ending.abort());

    await send();

    expect(outbox()).toMatchObject([{ tries: 0 }]);
    expect(logged).toEqual([]);
  });
});

describe('when the endpoint takes some and not others', () => {
  const [FIRST, LAST] = ['k', 'k'.repeat(5)]; // with two digits behind them: of the partitions 3 and 7
  const severities = () => bodies().map(({ data }) => data.severity);
  const refuse = () => endpoint.answers((response) => response.writeHead(400).end());

  it('given a hundred refused alerts, then they delay a good alert for a few runs only', async () => {
    const { raise, send, later, alert } = start();
    const good = 'k'.repeat(6);
    for (let n = 0; n < 100; n += 1) await raise(`${FIRST}${n + 1_000}`, { subject: 'refused' });
    endpoint.answers((response, nth) => {
      const isRefused = JSON.parse(endpoint.received[nth - 1]?.body ?? '').data.subject === 'refused';
      response.writeHead(isRefused ? 400 : 204).end();
    });
    await raise(good);

    for (let run = 0; run < 21; run += 1) {
      await send();
      later(10_000);
    }

    expect(await alert(good)).toMatchObject({ sentRevision: 1 });
  });

  it('given alerts without a try, then critical ones come first, from any partition', async () => {
    const { raise, send } = start();
    for (let n = 0; n < 20; n += 1) {
      await raise(`${FIRST}${n + 10}`, { severity: 'info' });
      await raise(`${LAST.slice(2)}${n + 10}`, { severity: 'critical' });
      await raise(`${LAST.slice(1)}${n + 100}`, { severity: 'warning' });
    }
    refuse();

    await send();

    expect(new Set(severities())).toEqual(new Set(['critical']));
  });

  it('given refused critical alerts that are due again, then alerts without a try come first', async () => {
    const { raise, send, later } = start();
    for (let n = 0; n < 12; n += 1) await raise(`${FIRST}${n + 10}`, { severity: 'critical' });
    refuse();
    for (let run = 0; run < 3; run += 1) await send();
    later(10_000);
    for (let n = 0; n < 20; n += 1) await raise(`${LAST}${n + 10}`, { severity: 'info' });
    const before = endpoint.received.length;

    await send();

    expect(before).toBe(12);
    expect(new Set(severities().slice(before))).toEqual(new Set(['info']));
  });

  it('given equal numbers of tries, then the alert that is due longest comes first', async () => {
    const { raise, send, later } = start();
    for (const [n, key] of [LAST, FIRST].entries()) {
      for (let each = 0; each < 12; each += 1) await raise(`${key}${each + 10}`, { subject: `lot ${n}` });
      refuse();
      for (let run = 0; run < 3; run += 1) await send();
      later(1_000);
    }
    later(10_000);
    const before = endpoint.received.length;

    await send();

    const batches = bodies()
      .slice(before)
      .map(({ data }) => data.subject);
    expect(before).toBe(24);
    expect(new Set(batches)).toEqual(new Set(['lot 0']));
  });
});

describe('when the process dies between two steps', () => {
  it.each([{ table: 'alerts' }, { table: 'alertoutbox' }])(
    'given a sent alert and a failed write of table $table, then the alert ends as sent, with one key',
    async ({ table }) => {
      const { raise, send, context, alert, outbox } = start();
      await raise();
      const broken = (name: string): WorkflowTable => ({
        ...context.tables(name),
        ...(name === table && { change: () => Promise.reject(new Error('gone')) }),
      });
      await expect(send({ tables: broken })).rejects.toThrow('gone');

      await send();

      expect(new Set(idsOf()).size).toBe(1);
      expect(endpoint.received).toHaveLength(table === 'alerts' ? 2 : 1);
      expect(await alert()).toMatchObject({ sentRevision: 1 });
      expect(outbox()).toEqual([]);
    },
  );
});
