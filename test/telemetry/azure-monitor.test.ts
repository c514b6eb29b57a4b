import type { TokenCredential } from '@azure/identity';
import { systemClock } from '../../src/clock.js';
import { startExport } from '../../src/telemetry/export.js';
import { type Received, type StandIn, startStandIn } from './stand-in.js';

const KEY = '00000000-0000-0000-0000-00000000000a';
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

let ingestion: StandIn;
beforeEach(async () => {
  ingestion = await startStandIn();
  ingestion.answers(accept);
});
afterEach(() => ingestion.stop());

const accept: Parameters<StandIn['answers']>[0] = (response, { body }) => {
  const items = JSON.parse(body.toString()).length;
  const headers = { 'content-type': 'application/json' };
  response.writeHead(200, headers).end(JSON.stringify({ itemsReceived: items, itemsAccepted: items, errors: [] }));
};

async function start(credential?: TokenCredential, protocol = 'http') {
  const failures: [string, number][] = [];
  const connectionString = `InstrumentationKey=${KEY};IngestionEndpoint=${ingestion.url.replace('http', protocol)}/`;
  const exporter = await startExport(
    {
      applicationInsights: { connectionString, identity: undefined },
      otlpEndpoint: undefined,
      sampling: { followsHost: true, ratio: 0 },
      serviceName: 'hospital',
    },
    { clock: systemClock, instance: 'p1', credential, reportFailure: (code, count) => failures.push([code, count]) },
  );
  return { exporter, failures };
}

type Envelope = {
  tags: Record<string, string>;
  data: { baseType: string; baseData: Record<string, unknown> };
};
const envelopesOf = (received: readonly Received[]) =>
  received.flatMap(({ body }) => JSON.parse(body.toString()) as Envelope[]);

describe('when Application Insights is sent telemetry', () => {
  it('given metrics, then a counter arrives as its increase, a gauge as its value, and a histogram without buckets', async () => {
    const { exporter } = await start();
    exporter.record('jobs', 1, { workflow: 'a', outcome: 'completed' });
    exporter.record('jobs', 1, { workflow: 'a', outcome: 'completed' });
    exporter.record('waitingRows', 7, {});
    exporter.record('jobLag', 0.5, { workflow: 'a', outcome: 'completed' });
    exporter.record('jobLag', 2.5, { workflow: 'a', outcome: 'completed' });

    await exporter.stop();

    const envelopes = envelopesOf(ingestion.received);
    expect(envelopes.map(({ data }) => [data.baseData.metrics, data.baseData.properties])).toEqual([
      [[expect.objectContaining({ name: 'ahds.jobs', value: 2 })], { workflow: 'a', outcome: 'completed' }],
      [
        [expect.objectContaining({ name: 'ahds.job.lag', value: 3, count: 2, min: 0.5, max: 2.5 })],
        { workflow: 'a', outcome: 'completed' },
      ],
      [[expect.objectContaining({ name: 'ahds.waiting.rows', value: 7 })], {}],
    ]);
    expect(envelopes[0]?.tags).toMatchObject({ 'ai.cloud.role': 'hospital', 'ai.cloud.roleInstance': 'p1' });
  });

  it('given a line, then it arrives with its severity, and with the text of the console', async () => {
    const { exporter } = await start();
    exporter.log('warn', { what: 'job-retries', workflow: 'a' }, '{"what":"job-retries"}');

    await exporter.stop();

    expect(envelopesOf(ingestion.received).map(({ data }) => data)).toEqual([
      {
        baseType: 'MessageData',
        baseData: expect.objectContaining({
          message: '{"what":"job-retries"}',
          severityLevel: 'Warning',
          properties: { what: 'job-retries', workflow: 'a' },
        }),
      },
    ]);
  });

  it("given a span, then it is part of the host's operation", async () => {
    const { exporter } = await start();
    exporter.trace('deliver', `00-${TRACE}-${PARENT}-01`)?.end();

    await exporter.stop();

    expect(envelopesOf(ingestion.received).map(({ tags, data }) => [tags, data.baseData.name])).toEqual([
      [expect.objectContaining({ 'ai.operation.id': TRACE, 'ai.operation.parentId': PARENT }), 'deliver'],
    ]);
  });
});

describe('when Application Insights refuses telemetry', () => {
  it.each([400, 401, 403])('given the answer %s, then its status is reported, and nothing else', async (status) => {
    const { exporter, failures } = await start();
    ingestion.answers((response) => response.writeHead(status).end('{"secret":1}'));
    exporter.log('info', { what: 'stopped' }, '{"what":"stopped"}');

    await exporter.stop();

    expect(failures).toEqual([[`http-${status}`, 1]]);
  });

  it('given the answer 503 at first, then the same data is sent again', async () => {
    const { exporter, failures } = await start();
    ingestion.answers((response, received) => {
      if (ingestion.received.length > 1) accept(response, received);
      else response.writeHead(503, { 'retry-after-ms': '1' }).end();
    });
    exporter.log('info', { what: 'stopped' }, '{"what":"stopped"}');

    await exporter.stop();

    const [first, second] = ingestion.received;
    expect(ingestion.received).toHaveLength(2);
    expect(second?.body).toEqual(first?.body);
    expect(failures).toEqual([['http-503', 1]]);
  });

  it('given a component that needs a token, then the token is for Azure Monitor; without a token nothing is sent', async () => {
    const asked: unknown[] = [];
    const credential: TokenCredential = {
      async getToken(scopes) {
        asked.push(scopes);
        throw new Error('no identity, secret');
      },
    };
    const { exporter, failures } = await start(credential, 'https');
    exporter.log('info', { what: 'stopped' }, '{"what":"stopped"}');

    await exporter.stop();

    expect(asked).toEqual([['https://monitor.azure.com/.default']]);
    expect(ingestion.received).toEqual([]);
    expect(failures).toEqual([['not-sent', 1]]);
  });

  it('given an endpoint without TLS, then no token is requested', async () => {
    const asked: unknown[] = [];
    const { exporter, failures } = await start({ getToken: async (scopes) => void asked.push(scopes) as never });
    exporter.log('info', { what: 'stopped' }, '{"what":"stopped"}');

    await exporter.stop();

    expect([asked, ingestion.received]).toEqual([[], []]);
    expect(failures).toEqual([['not-sent', 1]]);
  });
});
