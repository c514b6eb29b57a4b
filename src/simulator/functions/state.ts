import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { problemsIn } from '../problems.js';
import { settingsSchema } from '../runs/run-request.js';
import type { Simulator, SimulatorSettings } from '../simulator.js';
import { errorOf, problemsOf, readJson } from './json.js';

/** Answers `simulator`: GET shows the state, PATCH sets time scale and chaos, DELETE removes everything. */
export async function answerSimulator(request: HttpRequest, simulator: Simulator): Promise<HttpResponseInit> {
  switch (request.method) {
    case 'GET':
      return { jsonBody: describe(simulator) };
    case 'PATCH':
      return change(request, simulator);
    case 'DELETE':
      await simulator.clear();
      return { status: 204 };
    default:
      return errorOf(405, 'MethodNotAllowed', 'GET, PATCH and DELETE are allowed here.');
  }
}

async function change(request: HttpRequest, simulator: Simulator): Promise<HttpResponseInit> {
  const json = await readJson(request);
  if (json.kind === 'wrong') return json.answer;
  const parsed = settingsSchema.safeParse(json.body);
  if (!parsed.success) return problemsOf(problemsIn(parsed.error));
  simulator.change(parsed.data as Partial<SimulatorSettings>); // JSON has no undefined
  return { jsonBody: describe(simulator) };
}

function describe(simulator: Simulator) {
  const services = simulator.serviceNames().map((name) => {
    const made = simulator.services(name);
    return [name, { fhir: made?.fhir.counts, dicom: made?.dicom.counts }];
  });
  return {
    settings: simulator.settings(),
    services: Object.fromEntries(services),
    eventGrid: simulator.eventGrid.stats,
    run: simulator.runs.current()?.status() ?? null,
  };
}
