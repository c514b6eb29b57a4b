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
const FHIR_ROOT = '/simulator/fhir';
const DICOM_ROOT = '/simulator/dicom';
const NOT_FOUND = 'There is no service of this name. The first change, or GET metadata, makes it.';

/** Returns whether requests can name a service so. */
export function isServiceName(name: string): boolean {
  return SERVICE_NAME.test(name) && !FHIR_WORDS.has(name);
}

/** Answers `fhir/Patient/1` from the service `main`, `fhir/clinic-b/Patient/1` from the service `clinic-b`. */
export async function answerFhir(request: HttpRequest, simulator: Simulator): Promise<HttpResponseInit> {
  const [first = ''] = splitAt(request, FHIR_ROOT).segments;
  const isNamed = isServiceName(first);
  const name = isNamed ? first : DEFAULT_SERVICE;
  return answerAs({ kind: 'fhir', name }, await readRequest(request, FHIR_ROOT, isNamed ? 1 : 0), simulator);
}

/** Answers `dicom/v2/studies` from the service `main`, `dicom/clinic-b/v2/studies` from the service `clinic-b`. */
export async function answerDicom(request: HttpRequest, simulator: Simulator): Promise<HttpResponseInit> {
  const [first = '', second = '', third = ''] = splitAt(request, DICOM_ROOT).segments;
  const isNamed = SERVICE_NAME.test(first) && !isVersion(first) && isVersion(second);
  const [version, resource] = isNamed ? [second, third] : [first, second];
  if (version !== 'v2' && !(version === 'v1' && resource.toLowerCase() === 'changefeed')) {
    const message = `Found '${version}' where v2 belongs: …/dicom/v2/studies. Of v1, only …/dicom/v1/changefeed exists.`;
    return errorOf(404, 'UnsupportedApiVersion', message);
  }
  const name = isNamed ? first : DEFAULT_SERVICE;
  const read = await readRequest(request, DICOM_ROOT, isNamed ? 2 : 1);
  return answerAs({ kind: 'dicom', name }, { ...read, version }, simulator);
}

type Service = { readonly kind: ServiceKind; readonly name: string };

function answerAs({ kind, name }: Service, request: SimulatorRequest, simulator: Simulator): HttpResponseInit {
  const isRead = READS.includes(request.method) || request.path.endsWith('_search');
  if (name.startsWith(RUN_PREFIX) && !isRead) {
    return errorOf(405, 'MethodNotAllowed', 'The services of a run can only be read.');
  }
  const isKnown = name === DEFAULT_SERVICE || simulator.serviceNames().includes(name);
  if (!isKnown && (name.startsWith(RUN_PREFIX) || (isRead && request.path !== 'metadata'))) {
    return errorOf(404, 'ServiceNotFound', NOT_FOUND);
  }
  const services = simulator.services(name);
  if (!services) return tooManyServices();
  if (!isRead && simulator.eventGrid.pending() > MAX_PENDING) {
    const message = `More than ${MAX_PENDING} events wait for their delivery. Retry later.`;
    return { ...errorOf(429, 'TooManyEvents', message), headers: { 'Retry-After': '5' } };
  }
  const { headers, ...answer } = services[kind].answer(request);
  const correlationId = request.headers.get('x-request-id');
  return {
    ...answer,
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

/** Returns the request to a service, whose URL is `root` with `named` more segments of the path. */
async function readRequest(request: HttpRequest, root: string, named: number): Promise<SimulatorRequest> {
  const { searchParams } = new URL(request.url);
  searchParams.delete('code'); // the function key is not part of the service's query
  const { base: origin, segments } = splitAt(request, root);
  const base = [origin, ...segments.splice(0, named)].join('/');
  const path = segments.join('/').replace(/^\/+/, '');
  const body = new Uint8Array(await request.arrayBuffer());
  return { method: request.method, path, query: searchParams, headers: request.headers, body, base };
}

/** Returns the URL as far as `root`, and the parts of the path below it, as they were sent. */
function splitAt({ url }: HttpRequest, root: string): { base: string; segments: string[] } {
  const { origin, pathname } = new URL(url);
  const at = pathname.toLowerCase().indexOf(root) + root.length;
  return { base: origin + pathname.slice(0, at), segments: pathname.slice(at).replace(/^\/+/, '').split('/') };
}

function isVersion(segment: string): boolean {
  return /^v\d+$/.test(segment);
}
