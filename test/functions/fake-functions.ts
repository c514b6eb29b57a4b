import type { FunctionApp } from '../../src/functions/serve.js';
import { checkAnswer } from './check-answer.js';

type Registered = { readonly handler: (...args: unknown[]) => unknown; readonly [option: string]: unknown };

/** Takes registrations as `app` of @azure/functions does, and calls what was registered. */
export function createFakeFunctions() {
  const registered = new Map<string, Registered>();
  const ends: (() => unknown)[] = [];
  const register = (name: string, options: Registered) => void registered.set(name, options);
  const registerHttp = (name: string, { handler, ...options }: Registered) =>
    register(name, { ...options, handler: async (...args) => checkAnswer(name, await handler(...args)) });
  const starts: (() => unknown)[] = [];
  const hook = {
    appStart: (start: () => unknown) => void starts.push(start),
    appTerminate: (end: () => unknown) => void ends.push(end),
  };
  const setups: unknown[] = [];
  const setup = (options: unknown) => void setups.push(options);
  const app = { generic: register, timer: register, storageQueue: register, http: registerHttp, hook, setup };

  return {
    app: app as unknown as FunctionApp,
    setups,
    names: () => [...registered.keys()],
    optionsOf: (name: string) => registered.get(name),
    call: async (name: string, input?: unknown, context: object = {}) => registered.get(name)?.handler(input, context),
    /** Calls the function `name` as for GET with these parameters. */
    get: async (name: string, { params = {}, query = {} }: { params?: object; query?: Record<string, string> } = {}) =>
      registered.get(name)?.handler({ params, query: new URLSearchParams(query) }) as Promise<{
        status?: number;
        jsonBody: unknown;
      }>,
    start: async () => Promise.all(starts.map((start) => start())),
    terminate: async () => Promise.all(ends.map((end) => end())),
  };
}
