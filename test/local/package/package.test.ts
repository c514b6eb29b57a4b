import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { useAppFolder } from '../app-folder.js';
import { eventually } from '../eventually.js';
import { startProcess, type TestProcess, urlOf } from '../test-process.js';

const JSON_TYPE = { 'content-type': 'application/json' };
const folder = useAppFolder();
/** A folder outside of the project, in whose node_modules Node would find what the package lacks. */
const made = mkdtempSync(join(tmpdir(), 'ahds-package-'));
let storage = '';

beforeAll(async () => {
  const making = startProcess('src/local/package/main.ts', ['--to', made]);
  if ((await making.ended) !== 0) throw new Error(making.output());
  const provided = folder.start('test/local/storage-user.mjs', [folder.path()], { lasts: true });
  await provided.printed('provided');
  storage = /^provided (.+)$/m.exec(provided.output())?.[1] ?? '';
});
afterAll(() => rmSync(made, { recursive: true }));

describe('when the package is made', () => {
  it('given the project, then the package holds only what runs', () => {
    const files = readdirSync(made, { recursive: true, encoding: 'utf8' });

    const others = files.filter((file) => !/^[\w.-]+-[0-9A-Z]{8}\.js$|^page[\\/].*-[0-9A-Z]{8}\./.test(file));
    expect(others.sort()).toEqual([
      'LICENSE',
      'THIRD-PARTY-NOTICES.txt',
      'host.json',
      'main.js',
      'package.json',
      'page',
      join('page', 'index.html'),
      join('page', 'index.html.br'),
      join('page', 'index.html.gz'),
      'ucum-lhc.cjs',
    ]);
    expect(files.length).toBeLessThan(65);
    expect(JSON.parse(textOf('package.json'))).toMatchObject({ main: 'main.js', type: 'module' });
    expect(JSON.parse(textOf('package.json'))).not.toHaveProperty('dependencies');
  });

  it('given lazy imports, then each is in a separate file', () => {
    const main = textOf('main.js');

    expect(main).toContain('// src/pipeline/job.ts');
    for (const lazy of [
      'node_modules/@azure/identity/',
      'node_modules/@lhncbc/',
      'node_modules/dicom-parser/',
      'node_modules/@opentelemetry/sdk-',
      'node_modules/@azure/monitor-opentelemetry-exporter/',
      'src/simulator/register.ts',
    ]) {
      expect(main).not.toContain(`// ${lazy}`);
    }
    expect(scripts().map(textOf).join('\n')).not.toMatch(/^ *\/\/ src\/local\//m);
  });

  it('given code that would only slow down a start, then it is left out', () => {
    const all = scripts().map(textOf).join('\n');

    expect(all).toMatch(/^\/\/ node_modules\/zod\/v4\/locales\/en\.js$/m);
    expect(all).not.toMatch(/^\/\/ node_modules\/zod\/v4\/locales\/de\.js$/m);
    expect(all).toContain('__require("node:http")');
    expect(all).not.toMatch(/from "(node:)?http"/);
  });

  it('given the exporter of Azure Monitor, then nothing in it asks a service of Microsoft for settings', () => {
    const all = scripts().map(textOf).join('\n');

    expect(/\bConfigurationManager\b/.test(all)).toBe(true);
    expect(/class (ConfigurationWorker )?\{\s*shutdown\(\) \{\s*\}\s*\}/.test(all)).toBe(true);
    expect(/\bpollAndReschedule\b/.test(all)).toBe(false);
  });

  it('given the bundled packages, then the notices have the licence of each', () => {
    const bundled = readdirSync(made)
      .filter((file) => /\.c?js$/.test(file))
      .flatMap((file) => [...textOf(file).matchAll(/^ *\/\/ .*node_modules\/((?:@[^/\n]+\/)?[^/\n]+)\//gm)])
      .map(([, name = '']) => name);

    const notices = textOf('THIRD-PARTY-NOTICES.txt');

    expect(new Set(bundled).size).toBeGreaterThan(40);
    for (const name of new Set(bundled))
      expect(notices).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\S+ \\(.+\\)$`, 'm'));
    expect(notices).toContain('Permission is hereby granted, free of charge');
    expect(notices).toContain('developed by the Lister Hill National Center');
  });
});

describe('when the package runs', () => {
  it('given a POST of events, then their jobs are completed, a redelivery changes nothing, and there is no simulator', async () => {
    const { url, host } = await start({});
    const events = ['one', 'two'].map(eventOf);

    expect((await deliver(url, events)).status).toBe(202);
    expect((await deliver(url, events)).status).toBe(202);

    for (const { id } of events) {
      const [event] = (await becameOf(url, id)) ?? [];
      expect(event).toMatchObject({
        state: 'settled',
        workflows: { 'resource-index': { status: 'completed', tries: 1 } },
      });
    }
    expect((await fetch(`${url}/api/health/ready`)).status).toBe(200);
    expect((await fetch(`${url}/api/simulator`)).status).toBe(404);
    host.process.kill('SIGTERM');
    expect(await host.ended).toBe(0);
  });

  it('given another process, then it finds the settled jobs', async () => {
    const { url } = await start({});

    await deliver(url, [eventOf('one')]);

    const [event] = (await becameOf(url, 'one')) ?? [];
    expect(event).toMatchObject({
      state: 'settled',
      workflows: { 'resource-index': { status: 'completed', tries: 1 } },
    });
  });

  it('given an invalid event, then it gets a dead letter, and the POST is answered', async () => {
    const { url } = await start({});

    expect((await deliver(url, [{ ...eventOf('wrong'), data: {} }])).status).toBe(202);

    const { allInstances } = await json(fetch(`${url}/api/stats`));
    expect(allInstances.deadLetters.pending).toMatchObject({ invalid: 1 });
  });

  it('given the simulator, then units are converted, JSON Patch is applied, and images are read', async () => {
    const { url } = await start({ PORT: '0', SIMULATOR: 'on', LOOKUPS: 'on', LOOKUP_KEY: 'A'.repeat(44) });
    const fhir = `${url}/api/simulator/fhir`;
    const headers = { 'content-type': 'application/fhir+json' };
    await fetch(`${fhir}/Patient/p1`, { method: 'PUT', headers, body: '{"resourceType":"Patient","id":"p1"}' });

    const patched = await fetch(`${fhir}/Patient/p1`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json-patch+json' },
      body: '[{"op":"add","path":"/gender","value":"female"}]',
    });
    // 27 mg/dL, by the molar mass in the rule.
    const low = {
      resourceType: 'Observation',
      status: 'final',
      code: { coding: [{ system: 'http://loinc.org', code: '2345-7' }] },
      valueQuantity: { value: 1.5, system: 'http://unitsofmeasure.org', code: 'mmol/L' },
    };
    await fetch(`${fhir}/Observation`, { method: 'POST', headers, body: JSON.stringify(low) });

    expect(await patched.json()).toMatchObject({ gender: 'female', meta: { versionId: '2' } });
    const alerts = await eventually(async () => {
      const body = JSON.stringify({ status: 'active' });
      const { alerts: found } = await json(
        fetch(`${url}/api/lookups/alerts`, { method: 'POST', headers: JSON_TYPE, body }),
      );
      return found.length > 0 ? found : undefined;
    });
    expect(alerts).toMatchObject([{ rule: 'glucose-low', severity: 'critical' }]);

    const run = { scenario: 'imaging-night', events: 100, rate: 200, seed: 7 };
    const { id } = await json(
      fetch(`${url}/api/simulator/runs`, { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(run) }),
    );
    const { verdict } = await eventually(async () => {
      const status = await json(fetch(`${url}/api/simulator/runs/${id}`));
      return status.endedAt === null ? undefined : status;
    });
    expect(verdict).toMatchObject({ ok: true, events: { sent: 100, lost: 0 } });
  });

  it('given wrong settings, then the log names all, health answers 503, and the webhook 500', async () => {
    const wrong = { LEASE_SECONDS: '1', LEDGER_RETENTION_DAYS: 'x', ALERT_RULES: 'nowhere.json' };
    const { url, host } = await start(wrong);

    expect(host.output()).toMatch(
      /^error Fix these settings:\n.*ALERT_RULES.*\n.*LEASE_SECONDS.*\n.*LEDGER_RETENTION_DAYS.*$/m,
    );
    for (const state of ['live', 'ready']) {
      const answer = await fetch(`${url}/api/health/${state}`);
      expect(answer.status).toBe(503);
      expect(await answer.json()).toMatchObject({ [state]: false, problems: { length: 3 } });
    }
    expect((await deliver(url, [eventOf('one')])).status).toBe(500);
    expect((await fetch(`${url}/api/stats`)).status).toBe(404);
  });

  it('given the way in which the worker injects its module, then every function is registered', async () => {
    const loaded = folder.start('bench/start-up-once.ts', [join(made, 'main.js')], {
      env: { AzureWebJobsStorage: storage },
    });

    expect(await loaded.ended).toBe(0);
    expect(JSON.parse(loaded.output().split('\n').at(-1) ?? '').functions).toBeGreaterThanOrEqual(10);
  });

  it('given an app that needs an identity, then the package has the library for it', async () => {
    const [chunk = ''] = scripts().filter((file) => textOf(file).includes('// node_modules/@azure/identity/'));
    const script = `import('./${chunk}').then((all) => console.log(new all.DefaultAzureCredential().constructor.name))`;

    const { stdout } = spawnSync(process.execPath, ['-e', script], { cwd: made, encoding: 'utf8' });

    expect(stdout).toBe('DefaultAzureCredential\n');
  });
});

const scripts = () => readdirSync(made).filter((file) => /\.c?js$/.test(file));
const textOf = (file: string) => readFileSync(join(made, file), 'utf8');

function spawnHost(settings: Record<string, string>): TestProcess {
  return folder.start(join('src/local/host/main.ts'), ['--app', made, '--port', '0'], {
    env: { AzureWebJobsStorage: storage, ...settings },
  });
}

async function start(settings: Record<string, string>): Promise<{ url: string; host: TestProcess }> {
  const host = spawnHost(settings);
  return { host, url: await urlOf(host) };
}

function eventOf(id: string) {
  const workspace = 'subscriptions/s/resourceGroups/g/providers/Microsoft.HealthcareApis/workspaces/w';
  return {
    id,
    topic: `/${workspace}`,
    subject: `w-f.fhir.azurehealthcareapis.com/Observation/${id}`,
    eventType: 'Microsoft.HealthcareApis.FhirResourceCreated',
    eventTime: '2026-03-01T08:00:00Z',
    data: {
      resourceType: 'Observation',
      resourceFhirAccount: 'w-f.fhir.azurehealthcareapis.com',
      resourceFhirId: id,
      resourceVersionId: 1,
    },
    dataVersion: '1',
    metadataVersion: '1',
  };
}

function deliver(url: string, events: readonly object[]): Promise<Response> {
  return fetch(`${url}/runtime/webhooks/EventGrid?functionName=fhirEvents`, {
    method: 'POST',
    headers: { 'aeg-event-type': 'Notification' },
    body: JSON.stringify(events),
  });
}

// biome-ignore lint/suspicious/noExplicitAny: what is not as expected fails the test.
async function json(answer: Promise<Response>): Promise<any> {
  return (await answer).json();
}

type Event = { state: string; workflows: Record<string, { status: string; tries: number }> };

async function becameOf(url: string, id: string): Promise<Event[] | undefined> {
  const answer = await fetch(`${url}/api/events/${id}`);
  return answer.ok ? ((await answer.json()) as { events: Event[] }).events : undefined;
}
