import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { QueueServiceClient } from '@azure/storage-queue';
import { systemClock } from '../../src/clock.js';
import { mulberry32 } from '../../src/simulator/seeded.js';
import { ledgerPlaceOf } from '../../src/storage/address.js';
import { createAzureBlobStore } from '../../src/storage/azure-blob-store.js';
import { createAzureTableStore } from '../../src/storage/azure-table-store.js';
import { pagesOf } from '../../src/storage/pages.js';
import { startProcess, type TestProcess, urlOf } from '../local/test-process.js';
import { patiently } from './patiently.js';
import { openStorageGate } from './storage-gate.js';

/**
 * A night of faults with real processes: several hosts over one Azurite, and clients that deliver as Event Grid does
 * until a host acknowledges, or that put each event into the queue `events`. SIGKILL ends hosts, and storage hangs or
 * refuses connections for a while. Handlers report every run to a server in this file.
 */
export type Night = {
  seed: number;
  /** The time for which the night kills hosts and makes events. */
  ms: number;
  hosts: number;
  /** The setting INGRESS. */
  ingress: 'webhook' | 'queue';
  storage: { connectionString: string; pid: number };
  say: (line: string) => void;
};

export type Report = {
  wrongs: string[];
  events: number;
  posts: number;
  refused: number;
  kills: number;
  /** The number of times that storage hung; `refusals`: that it refused connections. */
  pauses: number;
  refusals: number;
  runs: number;
};

type Raw = Record<string, unknown> & { id: string };
/** A handler's report that it runs. */
type Run = { workflow: string; address: string; attempt: number; id: string; startedMs: number };
type Host = { process: TestProcess; url: string };

/** Rows count as endless when their number has not fallen for this time. */
const NO_PROGRESS_MS = 240_000;
const MIN_RUNS = 50;
/** A queue does not keep its clients waiting, so fewer of them send as many events. */
const CLIENTS = { webhook: 16, queue: 3 };
/** Clients wait while a queue holds more: Azurite searches all messages at each request. */
const MAX_QUEUED = 500;
const CHECKS_AT_ONCE = 8;
/** Half a second apart: a look-up reads all partitions, and a busy storage answers 503 for some time. */
const LOOK_UP_TRIES = 240;
/** The queue messages of a killed host are visible again after this time, in Azure after 10 minutes. */
const HIDDEN_S = 8;
/** A shorter night has no message that is not base64: a timer takes these each minute. */
const LONG_NIGHT_MS = 60_000;
const SOURCE = '/subscriptions/s/resourceGroups/g/providers/Microsoft.HealthcareApis/workspaces/night';
const SERVICE = 'night.fhir.azurehealthcareapis.com';

export async function spendNight({ seed, ms, hosts: howMany, ingress, storage, say }: Night): Promise<Report> {
  const random = mulberry32(seed);
  const below = (n: number) => Math.floor(random() * n);
  const report: Report = { wrongs: [], events: 0, posts: 0, refused: 0, kills: 0, pauses: 0, refusals: 0, runs: 0 };
  const tables = createAzureTableStore({ kind: 'connection-string', connectionString: storage.connectionString });
  const deadLetters = createAzureBlobStore(
    { kind: 'connection-string', connectionString: storage.connectionString },
    'dead-letters',
  );
  const queues = QueueServiceClient.fromConnectionString(storage.connectionString);
  const eventQueues = ['events', 'events-poison'].map((queue) => queues.getQueueClient(queue));
  const name = `${seed >>> 0}-${Date.now().toString(36)}`;
  const valid = new Map<string, { resource: string; version: number }>();
  const invalid = new Set<string>();
  /** The changes for which a handler of `newest` was told to succeed: its row stays, even if its job then dies. */
  const mayBeNewest = new Map<string, Set<number>>();
  let endsAtMs = Number.POSITIVE_INFINITY;
  // The night lasts until it has had a kill and enough runs, however slow the machine is.
  const isNight = () => systemClock.monotonic() < endsAtMs || report.kills === 0 || report.runs < MIN_RUNS;

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on(
      'end',
      () => void replyTo(JSON.parse(Buffer.concat(chunks).toString())).then((what) => response.end(what)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const gate = await openStorageGate(storage.connectionString);
  const env = {
    EventStorage: gate.connectionString,
    INGRESS: ingress,
    LEASE_SECONDS: '10',
    DEADLINE_SECONDS: '10',
    NIGHT_SERVER: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  };
  const hosts: Host[] = await Promise.all(Array.from({ length: howMany }, startHost));
  endsAtMs = systemClock.monotonic() + ms;

  try {
    await Promise.all([
      kill(),
      troubleStorage(),
      ...Array.from({ length: CLIENTS[ingress] }, (_, client) => deliver(client)),
    ]);
    say(`the night is over: ${JSON.stringify({ ...report, wrongs: report.wrongs.length })}`);
    await endOneHost();
    await waitForRows();
    await checkTheEnd();
  } finally {
    server.close();
    server.closeAllConnections();
    await Promise.all(hosts.map((host) => host.process.kill()));
    await gate.shut();
  }
  return report;

  async function startHost(): Promise<Host> {
    const options = ['--app', 'test/processes/app', '--port', '0', '--hidden-s', String(HIDDEN_S)];
    const started = startProcess('src/local/host/main.ts', options, { env });
    return { process: started, url: await urlOf(started) };
  }

  /** Checks a handler's report, and replies with the outcome that the handler must have. The seed chooses outcomes. */
  async function replyTo(run: Run): Promise<string> {
    report.runs += 1;
    await checkRun(run);
    const dice = isNight() ? random() : 1;
    if (dice < 0.1) await pause(below(3000));
    const what = dice < 0.04 ? 'throw' : dice < 0.06 ? 'for-good' : 'ok';
    if (what === 'ok' && run.workflow === 'newest') {
      const { resource, version } = valid.get(run.id) ?? { resource: '', version: 0 };
      mayBeNewest.set(resource, (mayBeNewest.get(resource) ?? new Set()).add(version));
    }
    return what;
  }

  /**
   * A run may be reported late, and the record read later still, while another host has taken the job over: wrong is
   * only a run that starts after its job has completed. Storage and hosts read the same clock.
   */
  async function checkRun({ address, workflow, attempt, startedMs }: Run): Promise<void> {
    const { table, partition, key } = ledgerPlaceOf(address);
    const read = await tables.read(table, partition, key).catch(() => undefined); // storage hangs
    const { row, modifiedAt } = read?.stored ?? {};
    if (row?.state !== 'settled' || row.result !== 'completed' || Number(modifiedAt) >= startedMs) return;
    const late = startedMs - Number(modifiedAt);
    report.wrongs.push(`a completed job runs again: ${workflow}, try ${attempt}, ${late} ms later, ${address}`);
  }

  async function kill(): Promise<void> {
    while (isNight()) {
      await pause(4000 + below(4000));
      const at = below(hosts.length);
      hosts[at]?.process.process.kill('SIGKILL');
      report.kills += 1;
      hosts[at] = await startHost();
    }
  }

  async function troubleStorage(): Promise<void> {
    for (let refuses = random() < 0.5; ; refuses = !refuses) {
      await pause(3000 + below(5000));
      if (!isNight()) return;
      if (refuses) {
        report.refusals += 1;
        await gate.shut();
        await pause(500 + below(4000));
        await gate.open();
      } else {
        report.pauses += 1;
        process.kill(storage.pid, 'SIGSTOP');
        await pause(1000 + below(5000));
        process.kill(storage.pid, 'SIGCONT');
      }
    }
  }

  // ---- Event Grid

  async function deliver(client: number): Promise<void> {
    const before: Raw[] = [];
    for (let post = 0; isNight(); post += 1) {
      const batch = Array.from({ length: 1 + below(10) }, (_, i) => makeEvent(`${name}-${client}-${post}-${i}`));
      for (const raw of before) if (random() < 0.1) batch.push(raw);
      before.splice(0, before.length, ...batch);
      report.posts += 1;
      while (isNight() && (await countQueued()) > MAX_QUEUED) await pause(500);
      if (ingress === 'queue') for (const raw of shuffled(batch)) await putIntoQueue(raw);
      else await untilAcknowledged(shuffled(batch));
    }
  }

  async function untilAcknowledged(batch: Raw[]): Promise<void> {
    for (;;) {
      const host = hosts[below(hosts.length)];
      const answer = await fetch(`${host?.url}/runtime/webhooks/EventGrid?functionName=fhirEvents`, {
        method: 'POST',
        headers: { 'aeg-event-type': 'Notification', 'content-type': 'application/json' },
        body: JSON.stringify(batch),
        signal: AbortSignal.timeout(30_000),
      }).catch(() => undefined);
      await answer?.arrayBuffer().catch(() => undefined);
      if (answer?.status === 202) return;
      report.refused += 1;
      await pause(200 + below(500));
    }
  }

  /** Puts an event into the queue as Event Grid does: alone, in base64, and again if there was no answer. */
  async function putIntoQueue(raw: Raw): Promise<void> {
    const text = JSON.stringify(raw);
    const isPlain = ms >= LONG_NIGHT_MS && random() < 0.02;
    const message = isPlain ? text : Buffer.from(text).toString('base64');
    await patiently(async () => eventQueues[0]?.sendMessage(message, { messageTimeToLive: -1 }));
  }

  function makeEvent(id: string): Raw {
    report.events += 1;
    const version = 1 + below(6);
    const resourceId = `r${below(200)}`;
    const change = version === 1 ? 'Created' : 'Updated';
    const isInvalid = random() < 0.03;
    if (isInvalid) invalid.add(id);
    else valid.set(id, { resource: resourceId, version });
    const data = {
      resourceType: 'Patient',
      resourceFhirAccount: SERVICE,
      resourceFhirId: resourceId,
      resourceVersionId: isInvalid ? 'none' : version,
    };
    const type = `Microsoft.HealthcareApis.FhirResource${change}`;
    const time = '2026-03-14T12:00:00.000Z'; // the same for all events, so that only versions order them
    const subject = `${SERVICE}/Patient/${resourceId}`;
    return random() < 0.5
      ? { id, source: SOURCE, specversion: '1.0', type, subject, time, data }
      : { id, topic: SOURCE, eventType: type, subject, eventTime: time, data, dataVersion: '1', metadataVersion: '1' };
  }

  function shuffled(batch: Raw[]): Raw[] {
    return batch
      .map((raw) => ({ raw, at: random() }))
      .sort((a, b) => a.at - b.at)
      .map(({ raw }) => raw);
  }

  // ---- the end

  async function endOneHost(): Promise<void> {
    const [host] = hosts.splice(0, 1);
    host?.process.process.kill('SIGTERM');
    const code = await host?.process.ended;
    if (code !== 0) report.wrongs.push(`a host that was asked to end did so with ${code}`);
  }

  async function waitForRows(): Promise<void> {
    let untilMs = systemClock.monotonic() + NO_PROGRESS_MS;
    for (let fewest = Number.POSITIVE_INFINITY; ; ) {
      const queued = await countQueued();
      const waiting = await patiently(() => tables.query('waiting', { limit: 1000 }));
      const left = queued + waiting.rows.length;
      if (left === 0) return;
      if (left < fewest) untilMs = systemClock.monotonic() + NO_PROGRESS_MS;
      fewest = Math.min(fewest, left);
      if (systemClock.monotonic() > untilMs) {
        report.wrongs.push(
          `${queued} messages, and rows that do not end: ${waiting.rows.map(({ key }) => key).slice(0, 3)}`,
        );
        return;
      }
      say(`${waiting.rows.length}${waiting.next ? ' and more' : ''} rows and ${queued} messages wait`);
      await pause(3000);
    }
  }

  async function countQueued(): Promise<number> {
    if (ingress === 'webhook') return 0;
    const counts = eventQueues.map((queue) =>
      patiently(async () => (await queue.getProperties()).approximateMessagesCount),
    );
    return (await Promise.all(counts)).reduce<number>((sum, count = 0) => sum + count, 0);
  }

  async function checkTheEnd(): Promise<void> {
    const blobs = new Set<string>();
    const list = (from: { page?: string }) => patiently(() => deadLetters.list('pending/', { limit: 1000, ...from }));
    for await (const answer of pagesOf(list)) for (const blob of answer.blobs) blobs.add(blob.name);
    const dead = new Map<string, number>();
    for (const blob of blobs) {
      const { id } = (JSON.parse((await patiently(() => deadLetters.read(blob))) ?? '{}') as { event: Raw }).event;
      dead.set(id, (dead.get(id) ?? 0) + 1);
    }
    for (const id of invalid)
      if (dead.get(id) !== 1) report.wrongs.push(`an invalid event has ${dead.get(id) ?? 0} dead letters: ${id}`);

    const newest = new Map<string, number>();
    const left = valid.entries();
    await Promise.all(
      Array.from({ length: CHECKS_AT_ONCE }, async () => {
        for (const [id, event] of left) await checkEvent(id, event, dead.get(id) ?? 0, newest);
      }),
    );
    for (const { row } of (await patiently(() => tables.query('resources', { limit: 1000 }))).rows)
      compare(newest, `index ${row.resourceId}`, row.version);
    for (const { key, row } of (await patiently(() => tables.query('newest', { limit: 1000 }))).rows) {
      const resource = /Patient(r\d+)$/.exec(key)?.[1] ?? '';
      const version = Number(row.version);
      const completed = newest.get(`newest ${resource}`) ?? 0;
      if (version > completed && mayBeNewest.get(resource)?.has(version)) newest.delete(`newest ${resource}`);
      else compare(newest, `newest ${resource}`, version);
    }
    for (const [what, version] of newest) report.wrongs.push(`no row for ${what}, version ${version}`);
  }

  async function checkEvent(
    id: string,
    { resource, version }: { resource: string; version: number },
    deadLetters: number,
    newest: Map<string, number>,
  ): Promise<void> {
    const read = async () => {
      const answer = await fetch(`${hosts[0]?.url}/api/events/${id}`);
      // The state of the event is unknown when a busy storage answers 503.
      if (!answer.ok && answer.status !== 404) throw new Error(`The look-up of an event answered ${answer.status}.`);
      return (await answer.json()) as EventStatus;
    };
    const [event] = (await patiently(read, LOOK_UP_TRIES)).events ?? [];
    const jobs = Object.entries(event?.workflows ?? {});
    const ended = jobs.filter(([, { status }]) => ['completed', 'superseded', 'dead-lettered'].includes(status));
    if (event?.state !== 'settled' || ended.length !== (version === 1 ? 4 : 3))
      report.wrongs.push(`not settled at the end: ${id} ${JSON.stringify(event?.workflows)}`);
    const dead = jobs.filter(([, { status }]) => status === 'dead-lettered').length;
    if (deadLetters !== dead) report.wrongs.push(`${dead} jobs are dead, with ${deadLetters} dead letters: ${id}`);
    if (event?.workflows['resource-index']?.status === 'completed') keepLargest(newest, `index ${resource}`, version);
    if (event?.workflows.newest?.status === 'completed') keepLargest(newest, `newest ${resource}`, version);
  }

  function compare(newest: Map<string, number>, what: string, version: unknown): void {
    if (newest.has(what) && newest.get(what) !== version) {
      report.wrongs.push(`${what} is at version ${version}, not ${newest.get(what)}`);
    }
    newest.delete(what);
  }
}

type EventStatus = { events?: { state: string; workflows: Record<string, { status: string }> }[] };

function keepLargest(numbers: Map<string, number>, key: string, value: number): void {
  numbers.set(key, Math.max(numbers.get(key) ?? 0, value));
}
