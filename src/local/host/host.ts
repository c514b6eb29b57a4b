import type { Clock } from '../../clock.js';
import type { Env } from '../../config-reader.js';
import { endHost } from './end-host.js';
import { createEventGridWebhook } from './event-grid-webhook.js';
import { registered } from './functions-core.js';
import type { HostSettings } from './host-json.js';
import type { HostLog } from './host-log.js';
import { createHttpRouter } from './http-router.js';
import { createInvoker } from './invoker.js';
import { startListeners } from './listeners.js';
import { loadApp } from './load-app.js';
import { forOwnPages } from './own-pages.js';
import { openServer, type Request } from './server.js';

type HostOptions = {
  readonly appRoot: string;
  /** package.json's `main`: a glob, relative to `appRoot`. */
  readonly main: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Host names that requests may use, beside those of the loopback address. */
  readonly allowedHosts?: readonly string[];
  readonly settings: HostSettings;
  /** The settings: connections, and the values of `%NAME%` in bindings. */
  readonly env: Env;
  readonly clock: Clock;
  readonly log: HostLog;
  /** An upper limit for the end: it waits this long for HTTP requests, then for other invocations. Shorter in tests. */
  readonly drainMs?: number;
  /** The time for which the queue messages of a dead process stay hidden. Shorter in tests. */
  readonly hiddenS?: number;
};

/**
 * Runs a built Functions app in this process, like Azure's own host. A process can run one app, once.
 * @throws StartError where the app cannot start.
 */
export async function startHost(options: HostOptions) {
  const { appRoot, main, port, settings, clock, log, drainMs = Number.POSITIVE_INFINITY } = options;
  registered.log = (level, _category, message) => log(level, message);
  const server = await openServer(port, log);
  try {
    const app = await loadApp(appRoot, main);
    for (const hook of app.hooks.appStart) await hook({ hookData: {} });
    const invoker = createInvoker({ app, timeoutMs: settings.functionTimeoutMs, clock, log });
    const { functions } = app;
    const webhook = createEventGridWebhook({ functions, invoker, log });
    const routeHttp = createHttpRouter({ functions, invoker, routePrefix: settings.routePrefix });
    const page = `/${settings.routePrefix ? `${settings.routePrefix}/` : ''}ui/`;
    const answer = async (request: Request) =>
      request.method === 'GET' && request.target === '/'
        ? { status: 302, headers: { location: page } }
        : ((await webhook(request)) ?? routeHttp(request));
    server.answerWith(forOwnPages(answer, options.allowedHosts ?? []));
    const listeners = startListeners(functions, invoker, options);
    return {
      port: server.port,
      /** The names of the functions of the app. */
      functions: functions.map(({ name }) => name),
      /** Ends like Azure's own host: see end-host.ts. Resolves within 35 s; at once where nothing runs. */
      close: () => endHost({ app, server, invoker, listeners, drainMs, clock, log }),
    };
  } catch (error) {
    void server.stopAccepting();
    await server.close();
    throw error;
  }
}
