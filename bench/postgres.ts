import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep, systemClock } from '../src/clock.js';
import { startServer } from './local-server.js';

/** A PostgreSQL whose data is in memory. */
export type Postgres = AsyncDisposable & {
  readonly url: string;
  /** The CPU time of all its processes so far; undefined on a system without /proc. */
  cpuMs(): number | undefined;
};

const START_MS = 60_000;
const LOOK_AGAIN_MS = 25;
/** A user without rights: PostgreSQL refuses to run as root. */
const NOBODY = 65_534;
/** No write waits for a disk, as in Azurite, whose data is in memory. */
const IN_MEMORY = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'];
/** The length of a clock tick in /proc. */
const TICK_MS = 10;
/** PostgreSQL ends when the bench closes its end of the standard input, or ends for any reason. */
const ENDS_WITH_INPUT = 'postgres "$@" & cat > /dev/null; kill -INT $!; wait';

/** Starts a new PostgreSQL with empty data on a free port; returns undefined if PostgreSQL is not installed. */
export async function startPostgres(): Promise<Postgres | undefined> {
  if (spawnSync('initdb', ['--version']).status !== 0) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'ahds-events-bench-'));
  const data = join(folder, 'data');
  const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid);
  const options = { ...user, cwd: folder };
  const made = spawnSync('initdb', ['-D', data, '-U', 'bench', '-A', 'trust', '--no-sync'], options);
  if (made.status !== 0) throw new Error(`initdb failed:\n${made.stderr}`);
  const port = await freePort();
  const settings = IN_MEMORY.flatMap((setting) => ['-c', setting]);
  const args = ['-D', data, '-h', '127.0.0.1', '-p', String(port), '-k', folder, ...settings];
  const child = spawn('sh', ['-c', ENDS_WITH_INPUT, 'sh', ...args], {
    ...options,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const exited = once(child, 'exit');
  const end = async () => {
    child.stdin.end();
    await exited;
    rmSync(folder, { recursive: true });
  };
  const giveUpAtMs = systemClock.monotonic() + START_MS;
  while (!(await answersOn(port))) {
    if (child.exitCode !== null || systemClock.monotonic() > giveUpAtMs) {
      await end();
      throw new Error('PostgreSQL did not start.');
    }
    await sleep(systemClock, LOOK_AGAIN_MS);
  }
  const pid = Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0]);
  return {
    url: `postgres://bench@127.0.0.1:${port}/postgres`,
    cpuMs: () => (existsSync('/proc/self/stat') ? cpuMsOf(pid) : undefined),
    [Symbol.asyncDispose]: end,
  };
}

async function freePort(): Promise<number> {
  await using server = await startServer(() => {});
  return Number(new URL(server.origin).port);
}

function answersOn(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const answer = (isThere: boolean) => () => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once('connect', answer(true)).once('error', answer(false));
  });
}

/** Returns the CPU time of the process and its children. The process's own numbers include children that have ended. */
function cpuMsOf(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  const own = ticksOf(pid, 4);
  return (own + children.reduce((sum, child) => sum + ticksOf(Number(child), 2), 0)) * TICK_MS;
}

/** Returns the sum of the first `fields` of utime, stime, cutime and cstime; 0 for a process that has just ended. */
function ticksOf(pid: number, fields: number): number {
  const path = `/proc/${pid}/stat`;
  if (!existsSync(path)) return 0;
  const afterName = readFileSync(path, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return afterName.slice(11, 11 + fields).reduce((sum, ticks) => sum + Number(ticks), 0);
}
