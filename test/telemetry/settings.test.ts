import { readTelemetrySettings } from '../../src/telemetry/settings.js';

const KEY = 'InstrumentationKey=00000000-0000-0000-0000-00000000000a;IngestionEndpoint=https://in.example/';
const OTLP = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318' };

const read = (env: Record<string, string>, isLocal = false) => readTelemetrySettings((name) => env[name], { isLocal });

describe('when the settings of telemetry are read', () => {
  it('given no destination, then nothing is sent', () => {
    expect(read({ OTEL_TRACES_SAMPLER: 'always_on' })).toEqual({ telemetry: undefined, problems: [] });
  });

  it('given Application Insights, then the settings hold its connection string, and the identity that sends', () => {
    const authentication = 'Authorization=AAD;ClientId=1234';

    expect(read({ APPLICATIONINSIGHTS_CONNECTION_STRING: KEY }).telemetry?.applicationInsights).toEqual({
      connectionString: KEY,
      identity: undefined,
    });
    for (const [text, identity] of [
      [authentication, { clientId: '1234' }],
      ['Authorization=AAD', {}],
    ] as const) {
      const env = { APPLICATIONINSIGHTS_CONNECTION_STRING: KEY, APPLICATIONINSIGHTS_AUTHENTICATION_STRING: text };
      expect(read(env).telemetry?.applicationInsights?.identity).toEqual(identity);
    }
  });

  it.each([
    { env: {}, isLocal: false, followsHost: true, ratio: 0.05 },
    { env: {}, isLocal: true, followsHost: true, ratio: 1 },
    {
      env: { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.5' },
      isLocal: false,
      followsHost: true,
      ratio: 0.5,
    },
    { env: { OTEL_TRACES_SAMPLER_ARG: '0' }, isLocal: true, followsHost: true, ratio: 0 },
    {
      env: { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' },
      isLocal: false,
      followsHost: false,
      ratio: 0.25,
    },
    {
      env: { OTEL_TRACES_SAMPLER: 'always_on', OTEL_TRACES_SAMPLER_ARG: '7' },
      isLocal: false,
      followsHost: false,
      ratio: 1,
    },
    { env: { OTEL_TRACES_SAMPLER: 'always_off' }, isLocal: true, followsHost: false, ratio: 0 },
    { env: { OTEL_TRACES_SAMPLER: 'parentbased_always_on' }, isLocal: false, followsHost: true, ratio: 1 },
    { env: { OTEL_TRACES_SAMPLER: 'parentbased_always_off' }, isLocal: true, followsHost: true, ratio: 0 },
    {
      env: { OTEL_TRACES_SAMPLER: 'microsoft.fixed_percentage', OTEL_TRACES_SAMPLER_ARG: '0.1' },
      isLocal: false,
      followsHost: true,
      ratio: 0.1,
    },
    {
      env: { OTEL_TRACES_SAMPLER: 'microsoft.rate_limited', OTEL_TRACES_SAMPLER_ARG: '5' },
      isLocal: false,
      followsHost: true,
      ratio: 0.05,
    },
  ])(
    'given $env, local: $isLocal, then the share of traces that begin in the app is $ratio',
    ({ env, isLocal, ...sampling }) => {
      const { telemetry, problems } = read({ ...OTLP, ...(env as Record<string, string>) }, isLocal);

      expect(telemetry?.sampling).toEqual(sampling);
      expect(problems).toEqual([]);
    },
  );

  it.each([
    { env: {}, serviceName: 'ahds-events' },
    { env: { WEBSITE_SITE_NAME: 'func-1' }, serviceName: 'func-1' },
    { env: { WEBSITE_SITE_NAME: 'func-1', OTEL_SERVICE_NAME: 'mine' }, serviceName: 'mine' },
  ])('given $env, then the app is called $serviceName', ({ env, serviceName }) => {
    expect(read({ ...OTLP, ...(env as Record<string, string>) }).telemetry?.serviceName).toBe(serviceName);
  });

  it('given all settings are wrong, then each is a problem, without its value', () => {
    const { problems } = read({
      APPLICATIONINSIGHTS_CONNECTION_STRING: 'secret',
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'secret',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4318',
      OTEL_TRACES_SAMPLER: 'secret',
    });

    expect(problems.map((problem) => problem.split(' ')[0])).toEqual([
      'APPLICATIONINSIGHTS_CONNECTION_STRING',
      'APPLICATIONINSIGHTS_AUTHENTICATION_STRING',
      'OTEL_EXPORTER_OTLP_ENDPOINT',
      'OTEL_TRACES_SAMPLER',
    ]);
    expect(problems.join()).not.toMatch(/secret|4318/);
  });

  it.each(['1.5', '-1', 'half', '1e9'])('given a ratio of %s, then the ratio is a problem', (share) => {
    expect(read({ ...OTLP, OTEL_TRACES_SAMPLER_ARG: share }).problems).toEqual([
      'OTEL_TRACES_SAMPLER_ARG is another, must be a number from 0 to 1',
    ]);
  });
});
