import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { sleep, systemClock } from '../src/clock.js';
import { topicEventOf, writeEvent } from '../src/simulator/event-grid/topic-event.js';
import { clinicDay } from '../src/simulator/scenarios/clinic-day.js';
import { seededRandom, uuidOf } from '../src/simulator/seeded.js';
import { createServices } from '../src/simulator/services.js';
import { createWorld } from '../src/simulator/world.js';
import { type Events, SOURCE } from './fhir-events.js';

/** The scenario clinic-day, whose next change is made when its event is asked for. */
export type ClinicDay = AsyncDisposable & {
  readonly events: Events;
  /** The app's settings to read the services, which are in this process. */
  readonly env: NodeJS.ProcessEnv;
};

/** About what services in the same region take. */
const ANSWER_MS = 10;
/** Clinics side by side, as at some 2,000 events a second: the rate of the scenario itself is 200. */
const CLINICS = 10;

export async function startClinicDay(seed: number): Promise<ClinicDay> {
  const random = seededRandom(seed);
  const made: string[] = [];
  const services = createServices({
    name: `bench-${seed}`,
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

  const server = createServer(async (incoming, outgoing) => {
    const { method = '', headers, url = '' } = incoming;
    const { pathname, searchParams: query, origin } = new URL(url, `http://${headers.host}`);
    const [, kind, ...rest] = pathname.split('/');
    const request = {
      method,
      query,
      headers: new Headers(headers as Record<string, string>),
      body: await buffer(incoming),
    };
    await sleep(systemClock, ANSWER_MS);
    const answer =
      kind === 'fhir'
        ? services.fhir.answer({ ...request, path: rest.join('/'), base: `${origin}/fhir` })
        : services.dicom.answer({
            ...request,
            path: rest.slice(1).join('/'),
            base: `${origin}/dicom/v2`,
            version: 'v2',
          });
    outgoing.writeHead(answer.status, answer.headers).end(answer.body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    events: {
      next() {
        while (made.length === 0) {
          clinics[turn % CLINICS]?.next();
          turn += 1;
        }
        return made.shift() as string;
      },
    },
    env: {
      FHIR_HOSTS: `${services.fhir.host} ${url}/fhir`,
      DICOM_HOSTS: `${services.dicom.host} ${url}/dicom`,
      LOOKUP_KEY: Buffer.alloc(32, 7).toString('base64'),
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}
