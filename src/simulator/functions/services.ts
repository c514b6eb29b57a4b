import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { RESOURCE_TYPES } from '../../fhir-types.js';
import type { SimulatorRequest } from '../http.js';
import { RUN_PREFIX } from '../runs/event-name.js';
import type { ServiceKind } from '../services.js';
import { DEFAULT_SERVICE, type Simulator } from '../simulator.js';
import { errorOf } from './json.js';

/** The name of a service, in lower case: types begin with a capital, operations with `_`, `$` or `.`. */
const SERVICE_NAME = /^[a-z][a-z0-9-]{0,30}$/;
/** First segments of FHIR paths that are no service names; types also in lower case, a likely mistake. */
const FHIR_WORDS = new Set(['metadata', ...RESOURCE_TYPES.map((type) => type.toLowerCase())]);
/** Beyond this number of pending events changes are refused, because memory is limited. */
const MAX_PENDING = 500_000;
const READS = ['GET', 'HEAD'];

/** Returns whether requests can name a service so. */
export function isServiceName(name: string): boolean {
  return SERVICE_NAME.test(name) && !FHIR_WORDS.has(name);
}

/** Answers `fhir/Patient/1` from the service `main`, `fhir/clinic-b/Patient/1` from the service `clinic-b`. */
export async function answerFhir(request: HttpRequest, simulator: Simulator): Promise<HttpResponseInit> {
  const { base, path } = splitAt(request, '/simulator/fhir');
  const first = path.split('/', 1)[0] ?? '';
  const isNamed = isServiceName(first);
  const name = isNamed ? first : DEFAULT_SERVICE;
  return answerAs(
    'fhir',
    name,
    await readRequest(request, isNamed ? `${base}/${first}` : base, isNamed ? cut(path, first) : path),
    simulator,
  );
}

/** Answers `dicom/v2/studies` from the service `main`, `dicom/clinic-b/v2/studies` from the service `clinic-b`. */
export async function answerDicom(request: HttpRequest, simulator: Simulator): Promise<HttpResponseInit> {
  const { base, path } = splitAt(request, '/simulator/dicom');
  const [first = '', second = ''] = path.split('/', 2);
  const isNamed = SERVICE_NAME.test(first) && !isVersion(first) && isVersion(second);
  const version = isNamed ? second : first;
  const root = isNamed ? `${first}/${second}` : first;
  const rest = cut(path, root);
  if (version !== 'v2' && !(version === 'v1' && isOfFeed(rest))) {
    const message = `Found '${version}' where v2 belongs: …/dicom/v2/studies. Of v1, only …/dicom/v1/changefeed exists.`;
    return errorOf(404, 'UnsupportedApiVersion', message);
  }
  return answerAs(
    'dicom',
    isNamed ? first : DEFAULT_SERVICE,
    { ...(await readRequest(request, `${base}/${root}`, rest)), version },
    simulator,
  );
}

function answerAs(kind: ServiceKind, name: string, request: SimulatorRequest, simulator: Simulator): HttpResponseInit {
  const isRead = READS.includes(request.method) || request.path.endsWith('_search');
  if (name.startsWith(RUN_PREFIX) && !isRead) {
    return errorOf(405, 'MethodNotAllowed', 'The services of a run can only be read.');
  }
  const isKnown = name === DEFAULT_SERVICE || simulator.serviceNames().includes(name);
  if (!isKnown && (name.startsWith(RUN_PREFIX) || (isRead && request.path !== 'metadata'))) {
    return errorOf(
      404,
      'ServiceNotFound',
      'There is no service of this name. The first change, or GET metadata, makes it.',
    );
  }
  const services = simulator.services(name);
  if (!services) return tooManyServices();
  if (!isRead && simulator.eventGrid.pending() > MAX_PENDING) {
    return {
      ...errorOf(429, 'TooManyEvents', `More than ${MAX_PENDING} events wait for their delivery. Retry later.`),
      headers: { 'Retry-After': '5' },
    };
  }
  const { status, headers, body } = services[kind].answer(request);
  const correlationId = request.headers.get('x-request-id');
  return {
    status,
    ...(body !== undefined && { body }),
    headers: {
      ...headers,
      'X-Request-Id': simulator.requestId(),
      ...(correlationId && { 'X-Correlation-Id': correlationId }),
    },
  };
}

/** Refuses a request that needs more services than there can be. */
export function tooManyServices(): HttpResponseInit {
  return errorOf(429, 'TooManyServices', 'There are too many services. DELETE /api/simulator removes all data.');
}

async function readRequest(request: HttpRequest, base: string, path: string): Promise<SimulatorRequest> {
  const { searchParams } = new URL(request.url);
  searchParams.delete('code'); // the function key is not part of the service's query
  const body = new Uint8Array(await request.arrayBuffer());
  return { method: request.method, path, query: searchParams, headers: request.headers, body, base };
}

function splitAt({ url }: HttpRequest, root: string): { base: string; path: string } {
  const { origin, pathname } = new URL(url);
  const at = pathname.toLowerCase().indexOf(root) + root.length;
  return { base: origin + pathname.slice(0, at), path: pathname.slice(at).replace(/^\/+/, '') };
}

function cut(path: string, root: string): string {
  return path.slice(root.length).replace(/^\/+/, '');
}

function isOfFeed(path: string): boolean {
  return path.split('/', 1)[0]?.toLowerCase() === 'changefeed';
}

function isVersion(segment: string): boolean {
  return /^v\d+$/.test(segment);
}
