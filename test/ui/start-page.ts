import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { buildUi } from '../../src/local/ui/build-ui.js';
import startAzurite from '../azurite/start.js';
import stopAzurite from '../azurite/stop.js';
import { SIGN_IN } from '../functions/principal.js';
import { eventually } from '../local/eventually.js';
import { startProcess, type TestProcess, urlOf } from '../local/test-process.js';
import { findBrowser } from './find-browser.js';

export type StartedPage = Awaited<ReturnType<typeof startPage>>;

const TOPIC = '/subscriptions/1/resourceGroups/g/providers/Microsoft.HealthcareApis/workspaces/w';
const HOST = 'w-f.fhir.azurehealthcareapis.com';

/** Starts a browser, an Azurite of its own, and the app with the page. `end` ends all three. */
export async function startPage() {
  const folder = mkdtempSync(join(tmpdir(), 'ahds-page-'));
  const shared = { storage: process.env.TEST_STORAGE, pid: process.env.TEST_AZURITE_PID };
  let isFixed = false;
  const receiver = createServer((_request, response) => response.end(isFixed ? 'ok' : 'no'));
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  await Promise.all([buildUi(process.cwd(), join(folder, 'ui')), startAzurite({ rootDir: process.cwd() })]);
  const env = settingsFor((receiver.address() as AddressInfo).port, `${join(folder, 'ui')}/`);
  const [browser, first] = await Promise.all([launch(), startApp(env, '0')]);
  let app = first;
  return {
    browser,
    url: app.url,
    /** Lets the workflow `fragile` succeed from now on. */
    fix() {
      isFixed = true;
    },
    /** Lets the workflow `fragile` fail from now on. */
    break() {
      isFixed = false;
    },
    /** Ends the app as a crash does. */
    kill: () => app.process.kill(),
    /** Starts the app again on the same port. */
    async restart() {
      app = await startApp(env, new URL(app.url).port);
    },
    send: (events: readonly object[]) => send(app.url, events),
    pid: () => app.process.process.pid,
    async end() {
      await browser.close();
      await app.process.kill();
      receiver.close();
      await stopAzurite();
      process.env.TEST_STORAGE = shared.storage;
      process.env.TEST_AZURITE_PID = shared.pid;
      rmSync(folder, { recursive: true });
    },
  };
}

/** Returns the settings of the app with the page in `pageFolder`, and with the receiver of the workflow `fragile`. */
function settingsFor(receiverPort: number, pageFolder: string): NodeJS.ProcessEnv {
  return {
    EventStorage: process.env.TEST_STORAGE ?? '',
    AzureWebJobsStorage: process.env.TEST_STORAGE ?? '',
    SIMULATOR: 'on',
    FHIR_HOSTS: HOST,
    WORKSPACES: TOPIC,
    RECONCILE: 'off',
    LEASE_SECONDS: '10',
    ...SIGN_IN,
    REQUIRE_SIGN_IN: 'off', // also requests that do not pass a gate
    PAGE_TEST_SERVER: `http://127.0.0.1:${receiverPort}`,
    PAGE_FOLDER: pageFolder,
  };
}

/** A change of a FHIR resource as Event Grid delivers it. */
export function rawChange(id: string, data: object = {}) {
  return {
    id,
    topic: TOPIC,
    subject: `${HOST}/Observation/${id}`,
    eventType: 'Microsoft.HealthcareApis.FhirResourceUpdated',
    eventTime: '2026-03-14T12:00:00Z',
    dataVersion: '1',
    data: {
      resourceType: 'Observation',
      resourceFhirAccount: HOST,
      resourceFhirId: `MARKER-RESOURCE-${id}`,
      resourceVersionId: 2,
      ...data,
    },
  };
}

async function startApp(env: NodeJS.ProcessEnv, port: string): Promise<{ process: TestProcess; url: string }> {
  const process = startProcess('src/local/host/main.ts', ['--app', 'test/ui/app', '--port', port], {
    env: { ...env, PORT: port },
  });
  return { process, url: await urlOf(process) };
}

/** Sends events as Event Grid does, and waits until the app has taken them. */
async function send(url: string, events: readonly object[]): Promise<void> {
  await eventually(async () => {
    const answer = await fetch(`${url}/runtime/webhooks/EventGrid?functionName=fhirEvents`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'aeg-event-type': 'Notification' },
      body: JSON.stringify(events),
    });
    return answer.ok ? true : undefined;
  });
}

function launch(): Promise<Browser> {
  const executablePath = findBrowser();
  if (!executablePath) throw new Error('No Chromium, Chrome or Edge is installed.');
  const isRoot = process.getuid?.() === 0; // the sandbox of Chromium refuses root
  return chromium.launch({ executablePath, args: isRoot ? ['--no-sandbox'] : [] });
}
