import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sleep, systemClock } from '../src/clock.js';

export type Azurite = AsyncDisposable & {
  readonly connectionString: string;
  /** Resolves with the CPU time of the process so far. */
  cpuMs(): Promise<number>;
};
export type Host = AsyncDisposable & {
  readonly url: string;
  /** Resolves with the CPU time of the process so far. */
  cpuMs(): Promise<number>;
};
export type FhirService = AsyncDisposable & {
  readonly url: string;
  /** Resolves with the number of requests so far. */
  requests(): Promise<number>;
};

type HostOptions = { readonly main: string; readonly storage: string; readonly env?: NodeJS.ProcessEnv };

const START_MS = 300_000;
const LOOK_AGAIN_MS = 25;
const ACCOUNT = 'devstoreaccount1';
/** Azurite's well-known key, which Microsoft publishes. */
const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';
const SERVICES = ['Blob', 'Queue', 'Table'];

/** Starts an Azurite on free ports, with its data in memory. */
export async function startAzurite(): Promise<Azurite> {
  const script = createRequire(import.meta.url).resolve('azurite/dist/src/azurite.js');
  const addresses = SERVICES.map((service) => service.toLowerCase()).flatMap((service) => [
    `--${service}Host=127.0.0.1`,
    `--${service}Port=0`,
  ]);
  const options = ['--inMemoryPersistence', '--disableTelemetry', '--silent', '--skipApiVersionCheck'];
  const azurite = await startProcess({ script, args: [...options, ...addresses], env: {} }, (output) => {
    const found = [...output.matchAll(/Azurite (\w+) service is successfully listening at (\S+)/g)];
    if (found.length < SERVICES.length) return undefined;
    return found.map(([, service, address]) => `${service}Endpoint=${address}/${ACCOUNT}`);
  });
  const account = ['DefaultEndpointsProtocol=http', `AccountName=${ACCOUNT}`, `AccountKey=${KEY}`];
  return { ...azurite, connectionString: [...account, ...azurite.found].join(';') };
}

/** The built files of `src` and `bench`. */
const built = fileURLToPath(new URL('..', import.meta.url));

/**
 * Starts the embedded host with `main`, a built file such as `bench/apps/noop-main.js`. `env`: settings beside storage.
 */
export async function startHost({ main, storage, env }: HostOptions): Promise<Host> {
  const host = await startProcess(
    {
      script: join(built, 'src/local/host/main.js'),
      args: ['--app', process.cwd(), '--main', join(built, main).slice(process.cwd().length + 1), '--port', '0'],
      env: { AzureWebJobsStorage: storage, ...env },
    },
    (output) => /Listening on \S+:(\d+)/.exec(output)?.[1],
  );
  return { ...host, url: `http://127.0.0.1:${host.found}/runtime/webhooks/EventGrid?functionName=fhirEvents` };
}

/** Starts the FHIR service of `apps/fhir-main.ts`. */
export async function startFhirService(): Promise<FhirService> {
  const service = await startProcess(
    { script: join(built, 'bench/apps/fhir-main.js'), args: [], env: {} },
    (output) => /Listening on (\S+)/.exec(output)?.[1],
  );
  const url = service.found;
  const requests = async () => ((await (await fetch(`${url}/counts`)).json()) as { requests: number }).requests;
  return { ...service, url, requests };
}

type Started<Found> = AsyncDisposable & { readonly found: Found; cpuMs(): Promise<number> };

/**
 * Starts a Node script, and resolves with the result of `find` on its output. The output goes to a file, so that
 * reading it does not disturb a measurement.
 */
async function startProcess<Found>(
  { script, args, env }: { script: string; args: readonly string[]; env: NodeJS.ProcessEnv },
  find: (output: string) => Found | undefined,
): Promise<Started<Found>> {
  const folder = mkdtempSync(join(tmpdir(), 'ahds-events-bench-'));
  const outputFile = join(folder, 'output');
  const output = openSync(outputFile, 'w');
  const child = spawn(process.execPath, ['--import', import.meta.resolve('./ends-with-parent.js'), script, ...args], {
    cwd: process.cwd(),
    env: { PATH: process.env.PATH, ...env },
    stdio: ['pipe', output, output, 'ipc'],
  });
  closeSync(output);
  const exited = once(child, 'exit');

  const giveUpAtMs = systemClock.monotonic() + START_MS;
  while (child.exitCode === null && systemClock.monotonic() < giveUpAtMs) {
    const found = find(readFileSync(outputFile, 'utf8'));
    if (found !== undefined) return { found, cpuMs, [Symbol.asyncDispose]: end };
    await sleep(systemClock, LOOK_AGAIN_MS);
  }
  const said = readFileSync(outputFile, 'utf8');
  await end();
  throw new Error(`${script} did not start:\n${said}`);

  async function cpuMs(): Promise<number> {
    const answer = once(child, 'message');
    child.send('cpu');
    const [{ user, system }] = (await answer) as [NodeJS.CpuUsage];
    return (user + system) / 1000;
  }

  async function end(): Promise<void> {
    if (child.exitCode === null) child.kill('SIGKILL');
    await exited;
    rmSync(folder, { recursive: true });
  }
}
