import { linkSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer, type Socket } from 'node:net';
import { systemClock } from '../clock.js';
import { type KeeperMessage, type KeeperOptions, keeperFile } from './azurite.js';

/**
 * A process that runs Azurite as long as any process uses it. Each user holds a connection, which also ends when the
 * user is killed. A killed host therefore loses no data of Azurite, and several hosts can share one Azurite.
 *
 *   claimed        the file keeper.json is ours; a second keeper that finds it ends
 *   starting       users connect, and wait
 *   running        each user has received the connection string
 *   ending         the last user has left, or none came; Azurite saves; then the file is deleted and the process ends
 */
/** The process ends if no user has connected after this time. */
const FIRST_USER_MS = 30_000;
const END_AGAIN_MS = 100;
const ACCOUNT = 'devstoreaccount1';
/** Azurite's own key, published for everybody. */
const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';
const SERVICES = ['Blob', 'Queue', 'Table'] as const;

const { folder, ports } = JSON.parse(process.argv[2] ?? '') as KeeperOptions;
const users = new Set<Socket>();
const endpoints = new Map<string, string>();
let closedServices = 0;

const control = createServer({ allowHalfOpen: true }, (user) => {
  users.add(user);
  if (endpoints.size === SERVICES.length) sendConnection(user);
  user.on('error', () => {}); // 'close' follows.
  user
    .resume()
    .once('end', () => release(user))
    .once('close', () => release(user));
});

control.listen(0, '127.0.0.1', () => {
  if (!claim()) process.exit(0);
  process.once('exit', () => rmSync(keeperFile(folder)));
  process.send?.('claimed');
  systemClock.after(FIRST_USER_MS, () => users.size === 0 && end());
  runAzurite();
});

/** Runs Azurite in this process, so that a kill leaves no other process behind. */
function runAzurite(): void {
  const addresses = SERVICES.flatMap((service, index) => {
    const name = service.toLowerCase();
    return [`--${name}Host`, '127.0.0.1', `--${name}Port`, String(ports[index] ?? 0)];
  });
  const options = ['--silent', '--disableTelemetry', '--skipApiVersionCheck', '--location', folder];
  process.argv = [process.argv[0] ?? '', 'azurite', ...options, ...addresses];
  console.log = readLine;
  createRequire(import.meta.url)('azurite/dist/src/azurite.js');
}

/** Follows Azurite's state by the lines on its console, because Azurite reports its state nowhere else. */
function readLine(line: string): void {
  process.stdout.write(`${line}\n`);
  const [, service, address] = /^Azurite (\w+) service is successfully listening at (\S+)$/.exec(line) ?? [];
  if (service && address) endpoints.set(service, address);
  if (service && endpoints.size === SERVICES.length) for (const user of users) sendConnection(user);
  if (/^Azurite \w+ service successfully closed$/.test(line)) closedServices += 1;
  if (closedServices === SERVICES.length) process.exit(0);
}

function sendConnection(user: Socket): void {
  const parts = SERVICES.map((service) => `${service}Endpoint=${endpoints.get(service)}/${ACCOUNT}`);
  const account = ['DefaultEndpointsProtocol=http', `AccountName=${ACCOUNT}`, `AccountKey=${KEY}`];
  const message: KeeperMessage = { folder, connectionString: [...account, ...parts].join(';') };
  user.write(`${JSON.stringify(message)}\n`);
}

/** Releases a user. The connection of the last user closes when Azurite has saved everything. */
function release(user: Socket): void {
  if (!users.has(user)) return;
  if (users.size > 1) {
    users.delete(user);
    user.end();
  } else end();
}

/** Ends Azurite by its own SIGTERM listener, which Azurite adds a moment after its services start. */
function end(): void {
  control.close();
  if (endpoints.size < SERVICES.length) process.exit(0); // nothing is stored yet
  if (!process.emit('SIGTERM', 'SIGTERM')) systemClock.after(END_AGAIN_MS, end);
}

/** Claims the folder; returns false if another keeper has it. The link lets no process see half of the file. */
function claim(): boolean {
  const address = control.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const draft = `${keeperFile(folder)}.${process.pid}`;
  writeFileSync(draft, JSON.stringify({ pid: process.pid, port }));
  try {
    linkSync(draft, keeperFile(folder));
    return true;
  } catch {
    return false;
  } finally {
    rmSync(draft);
  }
}
