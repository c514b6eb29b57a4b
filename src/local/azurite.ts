import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Clock, sleep } from '../clock.js';
import { StartError } from './host/start-error.js';

/** An Azurite that this process uses, maybe together with other processes. */
export type Azurite = {
  readonly connectionString: string;
  /** Ends Azurite unless another process uses it, and resolves when it has saved everything. */
  release(): Promise<void>;
};

const CHECK_EVERY_MS = 100;
const MAX_START_MS = 60_000;

/**
 * Returns the Azurite whose data is in `folder`. Starts Azurite unless it runs already: see azurite-keeper.ts.
 * @throws StartError when Azurite does not start.
 */
export async function useAzurite(options: KeeperOptions, clock: Clock): Promise<Azurite> {
  const giveUpAt = clock.monotonic() + MAX_START_MS;
  let hasStarted = false;
  while (clock.monotonic() < giveUpAt) {
    const keeper = findKeeper(options.folder);
    const azurite = keeper && (await joinKeeper(keeper.port, options.folder));
    if (azurite) return azurite;
    if (!keeper && hasStarted) break;
    if (!keeper) hasStarted = await startKeeper(options);
    else await sleep(clock, CHECK_EVERY_MS); // The keeper ends, or is still starting.
  }
  const log = logFile(options.folder);
  throw new StartError(`Azurite did not start: ${lastLine(log)} See ${log}.`);
}

/** Returns the Azurite whose data is in `folder`, or undefined if it does not run. */
export async function joinAzurite(folder: string): Promise<Azurite | undefined> {
  const keeper = findKeeper(folder);
  return keeper && joinKeeper(keeper.port, folder);
}

type Keeper = { pid: number; port: number };

/** Returns the keeper that runs. The file of a killed keeper is deleted: it would stop the next keeper. */
function findKeeper(folder: string): Keeper | undefined {
  try {
    const keeper = JSON.parse(readFileSync(keeperFile(folder), 'utf8')) as Keeper;
    if (isAlive(keeper.pid)) return keeper;
  } catch {
    return undefined;
  }
  rmSync(keeperFile(folder), { force: true });
  return undefined;
}

/**
 * Starts a keeper, and returns whether the keeper has claimed the folder. Another keeper, which is about to end, may
 * still have it. A Ctrl-C does not reach the keeper, which has its own process group.
 */
async function startKeeper(options: KeeperOptions): Promise<boolean> {
  const script = fileURLToPath(import.meta.resolve('./azurite-keeper.js'));
  const log = openSync(logFile(options.folder), 'w');
  const args = [...process.execArgv, script, JSON.stringify(options)];
  const keeper = spawn(process.execPath, args, { detached: true, stdio: ['ignore', log, log, 'ipc'] });
  closeSync(log);
  const claimed = once(keeper, 'message').then(() => true);
  const ended = once(keeper, 'exit').then(([code]) => code !== 0);
  const hasStarted = await Promise.race([claimed, ended]);
  if (keeper.connected) keeper.disconnect();
  keeper.unref();
  return hasStarted;
}

/** Connects to a keeper. Returns undefined if no keeper listens, or the keeper ends before Azurite runs. */
async function joinKeeper(port: number, folder: string): Promise<Azurite | undefined> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: false });
  socket.on('error', () => {}); // 'close' follows.
  const message = await firstMessage(socket);
  if (message?.folder !== folder) {
    socket.destroy();
    return undefined;
  }
  socket.resume();
  return {
    connectionString: message.connectionString,
    async release() {
      if (socket.closed) return;
      const closed = once(socket, 'close');
      socket.end();
      await closed;
    },
  };
}

async function firstMessage(socket: Socket): Promise<KeeperMessage | undefined> {
  try {
    for await (const line of createInterface({ input: socket })) return JSON.parse(line) as KeeperMessage;
  } catch {
    // The connection or the line was cut: the keeper ends.
  }
  return undefined;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function logFile(folder: string): string {
  return join(folder, 'azurite.log');
}

function lastLine(path: string): string {
  return readFileSync(path, 'utf8').trim().split('\n').at(-1) ?? '';
}

/** The message of a keeper to each of its users, one line of JSON. */
export type KeeperMessage = { readonly folder: string; readonly connectionString: string };

/** Returns the path of the file that names the keeper of `folder`: `{ pid, port }`. */
export function keeperFile(folder: string): string {
  return join(folder, 'keeper.json');
}

/** The options of a keeper, whose process gets them as JSON in its first argument. */
export type KeeperOptions = {
  readonly folder: string;
  /** The ports of blob, queue and table; 0 for any free port. */
  readonly ports: readonly number[];
};
