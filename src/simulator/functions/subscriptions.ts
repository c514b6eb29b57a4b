import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { describeSubscription } from '../event-grid/subscription.js';
import type { Simulator } from '../simulator.js';
import { answerBy, errorOf, problemsOf, readJson } from './json.js';

const NOT_FOUND = 'There is no such subscription. GET …/subscriptions lists them.';

/** Answers `subscriptions` (GET lists all) and `subscriptions/{name}` (GET, PUT, DELETE), as Azure Resource Manager. */
export async function answerSubscriptions(request: HttpRequest, { eventGrid }: Simulator): Promise<HttpResponseInit> {
  const { name } = request.params;
  if (name === undefined || name === '') return answerAll(request, eventGrid);
  return answerBy(
    request,
    {
      GET() {
        const found = eventGrid.get(name);
        return found ? { jsonBody: describeSubscription(found) } : errorOf(404, 'ResourceNotFound', NOT_FOUND);
      },
      PUT: () => put(name, request, eventGrid),
      DELETE: () => ({ status: eventGrid.remove(name) ? 200 : 204 }),
    },
    'GET, PUT and DELETE are allowed here.',
  );
}

function answerAll({ method, query }: HttpRequest, eventGrid: Simulator['eventGrid']): HttpResponseInit {
  const code = query.get('validationCode');
  if (code !== null) {
    return eventGrid.confirm(code)
      ? { status: 200, body: 'Webhook successfully validated as a subscription endpoint.' }
      : errorOf(400, 'ValidationCodeUnknown', 'No subscription waits for this code, or its 10 minutes are over.');
  }
  if (method !== 'GET') return errorOf(405, 'MethodNotAllowed', 'Name a subscription: PUT …/subscriptions/{name}.');
  return { jsonBody: { value: eventGrid.list().map((one) => describeSubscription(one)) } };
}

async function put(name: string, request: HttpRequest, eventGrid: Simulator['eventGrid']): Promise<HttpResponseInit> {
  const outcome = await eventGrid.put(name, await readJson(request));
  switch (outcome.kind) {
    case 'created':
    case 'updated': {
      const { subscription } = outcome;
      return { status: outcome.kind === 'created' ? 201 : 200, jsonBody: describeSubscription(subscription) };
    }
    case 'wrong':
      return problemsOf(outcome.problems);
    case 'handshake-failed':
      return errorOf(400, 'Url validation', outcome.message);
    default:
      throw new TypeError(`unhandled ${JSON.stringify(outcome satisfies never)}`);
  }
}
