import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import type { Random } from '../../clock.js';
import { readRunRequest } from '../runs/run-request.js';
import { scenarios } from '../scenarios/index.js';
import type { Simulator } from '../simulator.js';
import { errorOf, problemsOf, readJson } from './json.js';

/** Answers `runs`: GET lists runs, POST begins a run; and `runs/{id}`: GET shows a run, DELETE stops it. */
export async function answerRuns(request: HttpRequest, { runs }: Simulator, random: Random): Promise<HttpResponseInit> {
  const { id } = request.params;
  if (id === undefined || id === '') {
    if (request.method === 'POST') return begin(request, { runs }, random);
    if (request.method !== 'GET') return errorOf(405, 'MethodNotAllowed', 'GET lists the runs, POST begins one.');
    return { jsonBody: { runs: runs.list(), scenarios: scenarios.map(({ name, summary }) => ({ name, summary })) } };
  }
  const status = request.method === 'DELETE' ? runs.stop(id) : runs.get(id);
  if (!status) return errorOf(404, 'RunNotFound', 'There is no such run. The last 20 runs are kept.');
  return { status: request.method === 'DELETE' ? 202 : 200, jsonBody: status };
}

async function begin(
  request: HttpRequest,
  { runs }: Pick<Simulator, 'runs'>,
  random: Random,
): Promise<HttpResponseInit> {
  const json = await readJson(request);
  if (json.kind === 'wrong') return json.answer;
  const read = readRunRequest(json.body, Math.floor(random.number() * 2 ** 32));
  if (read.kind === 'wrong') return problemsOf(read.problems);
  const started = runs.start(read.request);
  if (started.kind === 'busy') {
    return errorOf(
      409,
      'RunUnderWay',
      `Run ${started.id} is under way. Wait for its end, or DELETE …/runs/${started.id}.`,
    );
  }
  const { status } = started;
  const { origin, pathname } = new URL(request.url);
  return {
    status: 201,
    headers: { Location: `${origin}${pathname.replace(/\/$/, '')}/${status.id}` },
    jsonBody: status,
  };
}
