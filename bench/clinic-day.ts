import { buffer } from 'node:stream/consumers';
import type { Random } from '../src/clock.js';
import { sleep, systemClock } from '../src/clock.js';
import { topicEventOf, writeEvent } from '../src/simulator/event-grid/topic-event.js';
import { clinicDay } from '../src/simulator/scenarios/clinic-day.js';
import { seededRandom, uuidOf } from '../src/simulator/seeded.js';
import { createServices, type Services } from '../src/simulator/services.js';
import { createWorld } from '../src/simulator/world.js';
import { type Events, SOURCE } from './fhir-events.js';
import { type LocalServer, startServer } from './local-server.js';

/** The scenario clinic-day, which makes its next change when the bench asks for the next event. */
export type ClinicDay = AsyncDisposable & {
  readonly events: Events;
  /** The app's settings to read the services, which are in this process. */
  readonly env: NodeJS.ProcessEnv;
};

/** About the time that services in the same region take to answer. */
const ANSWER_MS = 10;
/** Clinics side by side, as at some 2,000 events a second: the rate of the scenario itself is 200. */
const CLINICS = 10;

/** Starts the services of a clinic day. The same seed makes the same events. */
export async function startClinicDay(seed: number): Promise<ClinicDay> {
  const { services, events } = createClinics(`bench-${seed}`, seededRandom(seed));
  const server = await serve(services);
  return {
    events,
    env: {
      FHIR_HOSTS: `${services.fhir.host} ${server.origin}/fhir`,
      DICOM_HOSTS: `${services.dicom.host} ${server.origin}/dicom`,
      LOOKUP_KEY: Buffer.alloc(32, 7).toString('base64'),
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function createClinics(name: string, random: Random): { services: Services; events: Events } {
  const made: string[] = [];
  const services = createServices({
    name,
    clock: systemClock,
    random,
    publish(changes) {
      for (const change of changes) {
        const event = topicEventOf(change, { id: uuidOf(random), source: SOURCE });
        made.push(JSON.stringify(writeEvent(event, 'EventGridSchema')));
      }
    },
  });
  const left = () => Number.POSITIVE_INFINITY;
  const world = () => createWorld({ services, random, clock: systemClock, left });
  const clinics = Array.from({ length: CLINICS }, () => clinicDay.play(world()));
  let turn = 0;
  const next = () => {
    for (; made.length === 0; turn += 1) clinics[turn % CLINICS]?.next();
    return made.shift() as string;
  };
  return { services, events: { next } };
}

/** Serves the FHIR service at `/fhir`, and the DICOM service at `/dicom/v2`. */
function serve({ fhir, dicom }: Services): Promise<LocalServer> {
  return startServer(async (incoming, outgoing) => {
    const { method = '', headers, url = '' } = incoming;
    const { pathname, searchParams: query, origin } = new URL(url, `http://${headers.host}`);
    const [, kind, ...rest] = pathname.split('/');
    const body = await buffer(incoming);
    const request = { method, query, headers: new Headers(headers as Record<string, string>), body };
    await sleep(systemClock, ANSWER_MS);
    const answer =
      kind === 'fhir'
        ? fhir.answer({ ...request, path: rest.join('/'), base: `${origin}/fhir` })
        : dicom.answer({ ...request, path: rest.slice(1).join('/'), base: `${origin}/dicom/v2`, version: 'v2' });
    outgoing.writeHead(answer.status, answer.headers).end(answer.body);
  });
}
