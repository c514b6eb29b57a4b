import type { HttpData, Nullable } from './functions-core.js';
import { parseRoute } from './http-route.js';
import type { Invoker } from './invoker.js';
import type { AppFunction } from './load-app.js';
import type { Answer, Request } from './server.js';

type Deps = { functions: readonly AppFunction[]; invoker: Invoker; routePrefix: string };

/** Returns a handler that routes requests to the HTTP functions. It needs no keys on a developer's own machine. */
export function createHttpRouter({ functions, invoker, routePrefix }: Deps): (request: Request) => Promise<Answer> {
  const prefix = routePrefix.split('/').filter(Boolean);
  const routes = functions
    .filter(({ trigger }) => trigger.type === 'httptrigger')
    .map((target) => ({ target, route: parseRoute(String(target.trigger.route ?? target.name)) }))
    .sort((a, b) => (a.route.order < b.route.order ? -1 : 1));
  return async (request) => {
    const [path = ''] = request.target.split('?');
    const segments = path.split('/').filter(Boolean);
    if (!prefix.every((part, index) => segments[index]?.toLowerCase() === part.toLowerCase())) return { status: 404 };
    const rest = segments.slice(prefix.length);
    for (const { target, route } of routes) {
      const params = methodsOf(target).includes(request.method) ? route.match(rest) : undefined;
      if (params) return answerOf(invoker.invoke(target, { http: toHttpData(request, params) }));
    }
    return { status: 404 };
  };
}

async function answerOf(invocation: ReturnType<Invoker['invoke']>): Promise<Answer> {
  try {
    const { http } = (await invocation) ?? {};
    if (!http) return { status: 204 };
    const { statusCode, headers = {}, body } = http;
    return { status: Number(statusCode ?? 200), headers, body: body?.bytes ?? body?.string ?? '' };
  } catch {
    return { status: 500 }; // the invoker has logged the error
  }
}

function toHttpData({ method, target, headers, body }: Request, params: Record<string, string>): HttpData {
  const query = new URLSearchParams(target.split('?')[1]);
  const names = [...new Set(query.keys())];
  return {
    url: `http://${headers.host ?? 'localhost'}${target}`,
    method,
    headers,
    nullableParams: mapValues(Object.entries(params)),
    nullableQuery: mapValues(names.map((name) => [name, query.getAll(name).join(',')])),
    ...(body.length > 0 && { body: { bytes: body } }),
  };
}

function methodsOf({ trigger }: AppFunction): string[] {
  const methods: unknown[] = Array.isArray(trigger.methods) ? trigger.methods : ['GET', 'POST'];
  return methods.map((method) => String(method).toUpperCase());
}

function mapValues(entries: readonly (readonly [string, string])[]): Record<string, Nullable> {
  return Object.fromEntries(entries.map(([name, value]) => [name, { value }]));
}
