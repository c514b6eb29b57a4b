/** The destinations of telemetry, and the share of traces. */
export type TelemetrySettings = {
  readonly applicationInsights: ApplicationInsights | undefined;
  /** The URL of a collector (OTLP over HTTP), without the path of a signal. */
  readonly otlpEndpoint: string | undefined;
  readonly sampling: Sampling;
  /** The role name in Application Insights. */
  readonly serviceName: string;
};

type ApplicationInsights = {
  readonly connectionString: string;
  /** The identity that sends; undefined if the component accepts its key. */
  readonly identity: { readonly clientId?: string } | undefined;
};

/** Decides which traces are sent. */
export type Sampling = {
  /** The host decides about the traces that it begins; `ratio` is for traces that begin in the app. */
  readonly followsHost: boolean;
  readonly ratio: number;
};

const DEFAULT_RATIO = 0.05;
const PARENT_BASED = 'parentbased_traceidratio';
/** The names of OpenTelemetry, and the two names of Azure Monitor's exporter in the host. */
const SAMPLERS: Readonly<Record<string, { followsHost: boolean; ratio?: number; arg: 'ratio' | 'rate' | 'none' }>> = {
  always_on: { followsHost: false, ratio: 1, arg: 'none' },
  always_off: { followsHost: false, ratio: 0, arg: 'none' },
  traceidratio: { followsHost: false, arg: 'ratio' },
  parentbased_always_on: { followsHost: true, ratio: 1, arg: 'none' },
  parentbased_always_off: { followsHost: true, ratio: 0, arg: 'none' },
  [PARENT_BASED]: { followsHost: true, arg: 'ratio' },
  'microsoft.fixed_percentage': { followsHost: true, arg: 'ratio' },
  'microsoft.rate_limited': { followsHost: true, arg: 'rate' },
};

/** Returns the settings of telemetry, undefined without a destination, and problems for the error of all wrong settings. */
export function readTelemetrySettings(
  setting: (name: string) => string | undefined,
  { isLocal }: { isLocal: boolean },
): { telemetry: TelemetrySettings | undefined; problems: string[] } {
  const problems: string[] = [];
  const wrong = (name: string, found: string, expected: string) =>
    void problems.push(`${name} is ${found}, must be ${expected}`);
  const applicationInsights = readApplicationInsights(setting, wrong);
  const otlpEndpoint = setting('OTEL_EXPORTER_OTLP_ENDPOINT');
  if (otlpEndpoint !== undefined && !isHttpUrl(otlpEndpoint)) {
    wrong('OTEL_EXPORTER_OTLP_ENDPOINT', `${otlpEndpoint.length} characters`, 'a URL, http or https, without a query');
  }
  const sampling = readSampling(setting, isLocal, wrong);
  const serviceName = setting('OTEL_SERVICE_NAME') ?? setting('WEBSITE_SITE_NAME') ?? 'ahds-events';
  if (applicationInsights === undefined && otlpEndpoint === undefined) return { telemetry: undefined, problems };
  return { telemetry: { applicationInsights, otlpEndpoint, sampling, serviceName }, problems };
}

type Setting = (name: string) => string | undefined;
type Wrong = (name: string, found: string, expected: string) => void;

function readApplicationInsights(setting: Setting, wrong: Wrong): ApplicationInsights | undefined {
  const connectionString = setting('APPLICATIONINSIGHTS_CONNECTION_STRING');
  const authentication = setting('APPLICATIONINSIGHTS_AUTHENTICATION_STRING');
  if (connectionString !== undefined && !/(^|;)\s*InstrumentationKey=[0-9a-f-]{36}\s*(;|$)/i.test(connectionString)) {
    const found = `${connectionString.length} characters without InstrumentationKey`;
    wrong('APPLICATIONINSIGHTS_CONNECTION_STRING', found, 'a connection string of Application Insights');
  }
  const parts = new Map((authentication ?? '').split(';').map((part) => partOf(part)));
  if (authentication !== undefined && parts.get('authorization')?.toUpperCase() !== 'AAD') {
    const found = `${authentication.length} other characters`;
    wrong('APPLICATIONINSIGHTS_AUTHENTICATION_STRING', found, `'Authorization=AAD', and ';ClientId=…' of an identity`);
  }
  if (connectionString === undefined) return undefined;
  const clientId = parts.get('clientid');
  const identity = authentication === undefined ? undefined : { ...(clientId !== undefined && { clientId }) };
  return { connectionString, identity };
}

function partOf(part: string): [name: string, value: string] {
  const [name = '', value = ''] = part.split('=');
  return [name.trim().toLowerCase(), value.trim()];
}

function readSampling(setting: Setting, isLocal: boolean, wrong: Wrong): Sampling {
  const name = setting('OTEL_TRACES_SAMPLER') ?? PARENT_BASED;
  const text = setting('OTEL_TRACES_SAMPLER_ARG');
  const fallback = isLocal ? 1 : DEFAULT_RATIO;
  const sampler = SAMPLERS[name];
  if (sampler === undefined) {
    wrong('OTEL_TRACES_SAMPLER', `${name.length} other characters`, `one of ${Object.keys(SAMPLERS).join(', ')}`);
    return { followsHost: true, ratio: fallback };
  }
  const { followsHost, ratio, arg } = sampler;
  const number = text === undefined ? fallback : /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (arg === 'ratio' && !(number <= 1)) wrong('OTEL_TRACES_SAMPLER_ARG', 'another', 'a number from 0 to 1');
  return { followsHost, ratio: ratio ?? (arg === 'ratio' ? number : fallback) };
}

function isHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, search, hash } = new URL(text);
  return /^https?:$/.test(protocol) && search === '' && hash === '';
}
