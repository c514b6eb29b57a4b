import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

const START_MS = 300_000;
// Azurite's well-known account and key, which Microsoft publishes.
const ACCOUNT = 'devstoreaccount1';
const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

/** Starts an Azurite for the tests, on free ports and in memory. Test workers inherit TEST_STORAGE. */
export default async function startAzurite({ rootDir }: { rootDir: string }): Promise<void> {
  const [faster, main] = [
    join(rootDir, 'test/azurite/many-blobs.cjs'),
    join(rootDir, 'node_modules/azurite/dist/src/azurite.js'),
  ];
  const azurite = spawn(process.execPath, ['--require', faster, main, ...options()]);
  process.once('exit', () => azurite.kill('SIGKILL'));
  const endpoints = await listening(azurite);

  process.env.TEST_AZURITE_PID = String(azurite.pid);
  process.env.TEST_STORAGE = [
    'DefaultEndpointsProtocol=http',
    `AccountName=${ACCOUNT}`,
    `AccountKey=${KEY}`,
    ...['Blob', 'Queue', 'Table'].map((service) => `${service}Endpoint=${endpoints.get(service)}/${ACCOUNT}`),
  ].join(';');
}

function options(): string[] {
  const services = ['blob', 'queue', 'table'];
  const addresses = services.flatMap((service) => [`--${service}Host`, '127.0.0.1', `--${service}Port`, '0']);
  return [...addresses, '--inMemoryPersistence', '--disableTelemetry', '--silent', '--skipApiVersionCheck'];
}

/** Resolves with the address of each service when all three listen. */
function listening(azurite: ChildProcess): Promise<Map<string, string>> {
  return new Promise((resolve, reject) => {
    const endpoints = new Map<string, string>();
    let output = '';
    const fail = (what: string) => reject(new Error(`Azurite ${what}; the tests need it.\n${output}`));
    const timer = setTimeout(() => {
      azurite.kill('SIGKILL');
      fail(`did not listen within ${START_MS} ms`);
    }, START_MS);

    azurite.once('error', (error) => fail(`could not be started: ${error.message}`));
    azurite.once('exit', (code) => {
      clearTimeout(timer);
      fail(`ended with code ${code}`);
    });
    azurite.stderr?.on('data', (chunk) => {
      output += chunk;
    });
    azurite.stdout?.on('data', (chunk) => {
      output += chunk;
      for (const [, service, address] of output.matchAll(
        /Azurite (\w+) service is successfully listening at (\S+)\n/g,
      )) {
        endpoints.set(service ?? '', address ?? '');
      }
      if (endpoints.size < 3) return;
      clearTimeout(timer);
      resolve(endpoints);
    });
  });
}
