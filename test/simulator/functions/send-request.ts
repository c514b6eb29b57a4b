import { HttpRequest, type HttpResponseInit } from '@azure/functions';
import { systemRandom } from '../../../src/functions/random.js';
import { answerEvents } from '../../../src/simulator/functions/events.js';
import { answerRuns } from '../../../src/simulator/functions/runs.js';
import { answerDicom, answerFhir } from '../../../src/simulator/functions/services.js';
import { answerSimulator } from '../../../src/simulator/functions/state.js';
import { answerSubscriptions } from '../../../src/simulator/functions/subscriptions.js';
import type { Simulator } from '../../../src/simulator/simulator.js';
import { startSimulator } from '../memory-simulator.js';

export const ORIGIN = 'http://localhost:7071/api/simulator';

export type Sent = {
  method?: string;
  body?: unknown;
  type?: string;
  headers?: Record<string, string>;
  /** Default: `ORIGIN` and `path`. */
  url?: string;
};

/** Sends a request to the function that serves its path, as the host does. */
export async function sendTo(
  simulator: Simulator,
  path: string,
  { method = 'GET', body, type = 'application/json', headers = {}, url }: Sent = {},
): Promise<HttpResponseInit> {
  const [segments = ''] = path.split('?');
  const [collection = '', name = ''] = segments.split('/');
  const request = new HttpRequest({
    method,
    url: url ?? `${ORIGIN}${path && `/${path}`}`,
    headers: { 'content-type': type, ...headers },
    params: { name, id: name },
    query: Object.fromEntries(new URLSearchParams(path.split('?')[1])),
    ...(body !== undefined && { body: { string: typeof body === 'string' ? body : JSON.stringify(body) } }),
  });
  switch (collection) {
    case 'fhir':
      return answerFhir(request, simulator);
    case 'dicom':
      return answerDicom(request, simulator);
    case 'subscriptions':
      return answerSubscriptions(request, simulator);
    case 'runs':
      return answerRuns(request, simulator, systemRandom);
    case 'events':
      return answerEvents(request, simulator);
    default:
      return answerSimulator(request, simulator);
  }
}

/** Starts a simulator for each test of a file. */
export function useSimulator() {
  const world = {} as Awaited<ReturnType<typeof startSimulator>>;
  beforeEach(async () => {
    Object.assign(world, await startSimulator());
  });
  afterEach(() => world.simulator.stop());
  return { world, send: (path: string, sent?: Sent) => sendTo(world.simulator, path, sent) };
}

export const patient = (id: string) => ({
  method: 'PUT',
  type: 'application/fhir+json',
  body: { resourceType: 'Patient', id },
});

export const bodyOf = ({ body, jsonBody }: HttpResponseInit) =>
  (jsonBody ?? JSON.parse(String(body ?? 'null'))) as never;

export const headerOf = ({ headers }: HttpResponseInit, name: string) =>
  new Headers(headers as Record<string, string>).get(name);
