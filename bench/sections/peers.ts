import { PgBoss } from 'pg-boss';
import { sleep, systemClock } from '../../src/clock.js';
import { createEvents, newRun } from '../fhir-events.js';
import type { Report } from '../figures.js';
import type { Plan } from '../plan.js';
import { postAtFullRate, postEvery } from '../post-load.js';
import { type Postgres, startPostgres } from '../postgres.js';
import { type Host, startAzurite, startHost } from '../processes.js';
import { median } from '../statistics.js';

const PG_BOSS = 'bench/apps/pg-boss-main.js';
const POST_SIZE = 100;
const IN_FLIGHT = 4;
/** 500 events a second: each of the ways can do more. */
const EVERY_MS = 200;
const AIM = 0.2;
const LOOK_AGAIN_MS = 20;

type Way = {
  readonly name: string;
  readonly host: Host;
  readonly database: { cpuMs(): number | undefined | Promise<number> };
  readonly queue?: Queue;
  readonly rates: number[];
  readonly cpuMs: number[];
  readonly databaseCpuMs: number[];
};

/** The jobs of the job queue, as its database shows them. */
type Queue = AsyncDisposable & {
  untilCompleted(): Promise<void>;
  /** Resolves with the time from insert to completion of jobs that were inserted after `since`. */
  p99Ms(since: Date): Promise<number>;
};

/**
 * Compares the app with a no-op workflow, the plain way, and a job queue on PostgreSQL, in turns. Each deduplicates by
 * id, runs one handler for each event, and records its end.
 */
export async function benchPeers(plan: Plan, report: Report): Promise<void> {
  await using azurite = await startAzurite();
  const storage = azurite.connectionString;
  await using noop = await startHost({ main: 'bench/apps/noop-main.js', storage });
  await using plain = await startHost({ main: 'bench/apps/plain-main.js', storage });
  await using postgres = await startPostgres();
  await using boss = postgres && (await startHost({ main: PG_BOSS, storage, env: { POSTGRES_URL: postgres.url } }));
  await using queue = postgres && watchQueue(postgres);
  const ours = wayOf('no-op workflow', noop, azurite);
  const plainWay = wayOf('plain way: an insert and an update an event', plain, azurite);
  const ways = [ours, plainWay];
  if (!postgres) process.stderr.write('pg-boss is left out: no initdb and postgres in PATH.\n');
  if (postgres && boss && queue) ways.push({ ...wayOf('pg-boss on PostgreSQL', boss, postgres), queue });

  for (const way of ways) await load(way, plan, plan.peers.warmUpEvents);
  for (let repetition = 0; repetition < plan.peers.repetitions; repetition += 1) {
    for (const way of ways) await measure(way, plan);
  }
  for (const way of ways) await reportWay(way, plan, report);
  const cpu = median(ours.cpuMs) / median(plainWay.cpuMs);
  report({ what: 'CPU of the app an event, compared with the plain way', result: cpu, aim: { atMost: AIM } });
  const pgBoss = ways.find((way) => way.queue);
  if (pgBoss) report({ what: 'events/s, times pg-boss', result: median(ours.rates) / median(pgBoss.rates) });
}

function wayOf(name: string, host: Host, database: Way['database']): Way {
  return { name, host, database, rates: [], cpuMs: [], databaseCpuMs: [] };
}

async function measure(way: Way, plan: Plan): Promise<void> {
  const { events } = plan.peers;
  const { host, database, rates, cpuMs, databaseCpuMs } = way;
  const before = { app: await host.cpuMs(), database: await database.cpuMs(), atMs: systemClock.monotonic() };
  await load(way, plan, events);
  rates.push((events * 1000) / (systemClock.monotonic() - before.atMs));
  cpuMs.push(((await host.cpuMs()) - before.app) / events);
  const after = await database.cpuMs();
  if (after !== undefined && before.database !== undefined) databaseCpuMs.push((after - before.database) / events);
}

/** Sends events, and resolves when all of them are settled. */
async function load({ host, queue }: Way, { maxInFlight }: Plan, events: number): Promise<void> {
  const posts = { url: host.url, events: createEvents({ run: newRun() }), postSize: POST_SIZE };
  await postAtFullRate({ ...posts, inFlight: Math.min(IN_FLIGHT, maxInFlight), until: { posts: events / POST_SIZE } });
  await queue?.untilCompleted();
}

async function reportWay({ name, host, queue, ...way }: Way, { peers }: Plan, report: Report): Promise<void> {
  const since = systemClock.now();
  const posts = { url: host.url, events: createEvents({ run: newRun() }), postSize: POST_SIZE };
  const { p50Ms, p99Ms, p9999Ms } = await postEvery(EVERY_MS, { ...posts, durationMs: peers.pacedMs });
  await queue?.untilCompleted();
  const paced = { p50Ms, p99Ms, p9999Ms };
  report({ what: `${name}, POSTs of 100`, eventsPerSecond: median(way.rates), cpuMs: median(way.cpuMs) });
  report({ what: '  ms of a POST of 100, at 500 events/s', ...paced });
  if (queue) report({ what: '  ms from insert to completed, at 500 events/s', p99Ms: await queue.p99Ms(since) });
  if (way.databaseCpuMs.length > 0)
    report({ what: '  CPU of the storage, ms an event', cpuMs: median(way.databaseCpuMs) });
}

function watchQueue({ url }: Postgres): Queue {
  const boss = new PgBoss({ connectionString: url, supervise: false, schedule: false });
  boss.on('error', (error) => process.stderr.write(`${error}\n`));
  const started = boss.start();
  const query = async (sql: string, values: unknown[] = []) => {
    await started;
    const { rows } = await boss.getDb().executeSql(sql, values);
    return Number(Object.values(rows[0] ?? {})[0]);
  };
  return {
    async untilCompleted() {
      // The first state has an index, so that frequent queries cost the database no time.
      for (const open of ["state < 'active'", "state = 'active'"]) {
        while ((await query(`SELECT count(*) FROM pgboss.job WHERE ${open}`)) > 0) {
          await sleep(systemClock, LOOK_AGAIN_MS);
        }
      }
    },
    p99Ms: (since) =>
      query(
        'SELECT 1000 * extract(epoch FROM percentile_disc(0.99) WITHIN GROUP (ORDER BY completed_on - created_on))' +
          ' FROM pgboss.job WHERE created_on >= $1',
        [since],
      ),
    [Symbol.asyncDispose]: () => boss.stop({ graceful: false }),
  };
}
