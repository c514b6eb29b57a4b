import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import type { Random } from '../../clock.js';
import { readRunRequest } from '../runs/run-request.js';
import { scenarios } from '../scenarios/index.js';
import type { Simulator } from '../simulator.js';
import { answerBy, errorOf, problemsOf, readJson } from './json.js';

/** Answers `runs`: GET lists runs, POST begins a run; and `runs/{id}`: GET shows a run, DELETE stops it. */
export async function answerRuns(request: HttpRequest, { runs }: Simulator, random: Random): Promise<HttpResponseInit> {
  const { id } = request.params;
  if (id === undefined || id === '') {
    const described = scenarios.map(({ name, summary }) => ({ name, summary }));
    return answerBy(
      request,
      {
        GET: () => ({ jsonBody: { runs: runs.list(), scenarios: described } }),
        POST: () => begin(request, { runs }, random),
      },
      'GET lists the runs, POST begins one.',
    );
  }
  const isStop = request.method === 'DELETE';
  const status = isStop ? runs.stop(id) : runs.get(id);
  if (!status) return errorOf(404, 'RunNotFound', 'There is no such run. The last 20 runs are kept.');
  return { status: isStop ? 202 : 200, jsonBody: status };
}

async function begin(
  request: HttpRequest,
  { runs }: Pick<Simulator, 'runs'>,
  random: Random,
): Promise<HttpResponseInit> {
  const read = readRunRequest(await readJson(request), Math.floor(random.number() * 2 ** 32));
  if (read.kind === 'wrong') return problemsOf(read.problems);
  const started = runs.start(read.request);
  if (started.kind === 'busy') {
    const message = `Run ${started.id} is under way. Wait for its end, or DELETE …/runs/${started.id}.`;
    return errorOf(409, 'RunUnderWay', message);
  }
  const { status } = started;
  const { origin, pathname } = new URL(request.url);
  return {
    status: 201,
    headers: { Location: `${origin}${pathname.replace(/\/$/, '')}/${status.id}` },
    jsonBody: status,
  };
}
