import { join } from 'node:path';
import { ROOT, startProcess, type TestProcess, urlOf } from './test-process.js';

/** The embedded host as a process of its own, running the app in fixture-app. */
export type HostProcess = TestProcess & {
  readonly url: string;
  /** Returns the calls of the fixture's functions since the last `takeCalls`. */
  takeCalls(): Promise<Call[]>;
};

export type Call = { name: string; input: unknown; metadata?: Record<string, unknown> };

export async function startHostProcess(
  env: NodeJS.ProcessEnv = {},
  args: readonly string[] = [],
): Promise<HostProcess> {
  const host = spawnHost(args, env);
  const url = await urlOf(host);
  return {
    ...host,
    url,
    async takeCalls() {
      return (await (await fetch(`${url}/api/calls`)).json()) as Call[];
    },
  };
}

/** Starts the host, and does not wait until it listens. */
export function spawnHost(args: readonly string[], env: NodeJS.ProcessEnv = {}): TestProcess {
  const app = join(ROOT, 'test/local/fixture-app');
  return startProcess('src/local/host/main.ts', ['--app', app, '--port', '0', ...args], { env });
}
