import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { HttpRequest, type HttpResponseInit } from '@azure/functions';
import type { App } from '../../src/functions/compose.js';
import { registerFunctions } from '../../src/functions/register.js';
import { parseRoute } from '../../src/local/host/http-route.js';
import { createFakeFunctions } from '../functions/fake-functions.js';
import { signedInAs } from '../functions/principal.js';

/**
 * Serves the HTTP functions of an app as Azure does with its authentication on: it removes the headers that it sends
 * itself, and turns the token `Operator` into the principal of a person with the role Operator.
 */
export async function startPlatform(app: App) {
  const functions = createFakeFunctions();
  registerFunctions(functions.app, app);
  const routes = functions.names().flatMap((name) => {
    const options = functions.optionsOf(name);
    if (options?.route === undefined) return [];
    return [{ name, route: parseRoute(String(options.route)), methods: options.methods as string[] }];
  });
  routes.sort((one, other) => (one.route.order < other.route.order ? -1 : 1));
  const asked: string[] = [];

  const server = createServer(async (incoming, outgoing) => {
    const url = new URL(incoming.url ?? '', 'http://localhost');
    asked.push(`${incoming.method} ${incoming.url}`);
    for (const { name, route, methods } of routes) {
      const params = methods.includes(incoming.method ?? '') && route.match(url.pathname.split('/').slice(2));
      if (params) return send(outgoing, (await functions.call(name, await requestOf(incoming, url, params))) as never);
    }
    send(outgoing, { status: 404 });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Method and URL of each request. */
    asked,
    close: () => new Promise((resolve) => server.close(resolve).closeAllConnections()),
  };
}

async function requestOf(incoming: IncomingMessage, url: URL, params: Record<string, string>): Promise<HttpRequest> {
  const sent = Object.entries(incoming.headers).filter(([name]) => !name.startsWith('x-ms-client-principal'));
  const [, token] = /^Bearer (\w+)$/.exec(incoming.headers.authorization ?? '') ?? [];
  const headers = { ...Object.fromEntries(sent.map(([name, value]) => [name, String(value)])) };
  const body = await text(incoming);
  return new HttpRequest({
    method: incoming.method ?? 'GET',
    url: url.href,
    headers: { ...headers, ...(token !== undefined && signedInAs(token)) },
    query: Object.fromEntries(url.searchParams),
    params,
    ...(body !== '' && { body: { string: body } }),
  });
}

function send(outgoing: ServerResponse, { status = 200, headers = {}, jsonBody, body }: HttpResponseInit): void {
  outgoing.writeHead(status, headers as Record<string, string>);
  outgoing.end(jsonBody === undefined ? body : JSON.stringify(jsonBody));
}
