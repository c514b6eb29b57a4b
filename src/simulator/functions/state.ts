import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import * as z from 'zod';
import { problemsIn, strict } from '../problems.js';
import { RUN_PREFIX } from '../runs/event-name.js';
import { settingsSchema } from '../runs/run-request.js';
import type { MakesEvents, SwitchableServices } from '../services.js';
import type { Simulator, SimulatorSettings } from '../simulator.js';
import { answerBy, problemsOf, readJson } from './json.js';
import { isServiceName, tooManyServices } from './services.js';

const BAD_NAME = `is no name of a service that can be changed: lower-case letters, digits and '-', and no type of FHIR, or a run's`;

const switchSchema = strict({ events: z.boolean({ error: 'must be true or false' }).optional() }).optional();
const schema = strict({
  ...settingsSchema.partial().shape,
  /** Services by name: `{ "main": { "fhir": { "events": false } } }` turns the events of one service off. */
  services: z.record(z.string(), strict({ fhir: switchSchema, dicom: switchSchema })).default({}),
});

/**
 * Answers `simulator`: GET shows the state; PATCH sets time scale and chaos, and turns events on or off; DELETE removes
 * everything.
 */
export function answerSimulator(request: HttpRequest, simulator: Simulator): Promise<HttpResponseInit> {
  return answerBy(
    request,
    {
      GET: () => ({ jsonBody: describe(simulator) }),
      PATCH: () => change(request, simulator),
      async DELETE() {
        await simulator.clear();
        return { status: 204 };
      },
    },
    'GET, PATCH and DELETE are allowed here.',
  );
}

async function change(request: HttpRequest, simulator: Simulator): Promise<HttpResponseInit> {
  const parsed = schema.safeParse(await readJson(request));
  if (!parsed.success) return problemsOf(problemsIn(parsed.error));
  const { services, ...settings } = parsed.data;
  const names = Object.keys(services);
  const wrong = names.filter((name) => !isServiceName(name) || name.startsWith(RUN_PREFIX));
  if (wrong.length > 0) return problemsOf(wrong.map((name) => ({ path: `services.${name}`, message: BAD_NAME })));
  if (!simulator.hasRoomFor(names)) return tooManyServices();
  for (const [name, { fhir, dicom }] of Object.entries(services)) {
    const changed = { fhir: fhir?.events, dicom: dicom?.events };
    const given = Object.entries(changed).filter(([, isOn]) => isOn !== undefined);
    simulator.switchEvents(name, Object.fromEntries(given) as Partial<MakesEvents>);
  }
  simulator.change(settings as Partial<SimulatorSettings>); // JSON has no undefined
  return { jsonBody: describe(simulator) };
}

function describe(simulator: Simulator) {
  const services = simulator.serviceNames().map((name) => {
    const { fhir, dicom, makesEvents } = simulator.services(name) as SwitchableServices; // the name is known
    return [
      name,
      { fhir: { events: makesEvents.fhir, ...fhir.counts }, dicom: { events: makesEvents.dicom, ...dicom.counts } },
    ];
  });
  return {
    settings: simulator.settings(),
    services: Object.fromEntries(services),
    eventGrid: simulator.eventGrid.stats,
    run: simulator.runs.current()?.status() ?? null,
  };
}
