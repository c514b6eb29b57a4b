import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { TableClient } from '@azure/data-tables';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { testConnection } from '../azurite/connection.js';
import { eventually } from './eventually.js';
import { isAlive, keeperPid } from './keeper.js';
import { takePort } from './taken-port.js';
import { startProcess, type TestProcess } from './test-process.js';

const NO_STORAGE = { EventStorage: '', AzureWebJobsStorage: '' };
let appRoot: string;
const users: TestProcess[] = [];
beforeEach(() => {
  appRoot = mkdtempSync(join(tmpdir(), 'ahds-'));
});
afterEach(async () => {
  await Promise.all(users.splice(0).map((user) => user.kill()));
  await eventually(() => (keeperPid(appRoot) === undefined ? true : undefined));
  rmSync(appRoot, { recursive: true });
});

describe('when no storage is named', () => {
  it('given nothing in .local, then Azurite is started, keeps its data, and ends with its last user', async () => {
    const first = await useStorage();
    const table = tableOf(first);
    await table.createTable();
    await table.createEntity({ partitionKey: 'p', rowKey: 'r', value: 'kept' });
    await release(first);
    expect(keeperPid(appRoot)).toBeUndefined();

    const second = await useStorage();

    expect((await tableOf(second).getEntity('p', 'r')).value).toBe('kept');
  });

  it('given an Azurite of another process, then both share it, and it outlives a kill of the first', async () => {
    const first = await useStorage();
    const second = await useStorage();
    expect(connectionOf(second)).toBe(connectionOf(first));

    await first.kill();

    await tableOf(second).createTable();
    await release(second);
    expect(keeperPid(appRoot)).toBeUndefined();
  });

  it('given two processes that start at once, then they share one Azurite', async () => {
    const [first, second] = await Promise.all([useStorage(), useStorage()]);

    expect(connectionOf(second)).toBe(connectionOf(first));
  });

  it('given a keeper that still has the folder when another one starts, then that is tried again until Azurite runs', async () => {
    const folder = join(appRoot, '.local/azurite');
    const file = join(folder, 'keeper.json');
    mkdirSync(folder, { recursive: true });
    symlinkSync(join(folder, 'nothing'), file); // no keeper can be read in it, and none can claim the folder
    const keepers = new Set<string>();
    const watcher = watch(folder, (_event, name) => {
      if (name?.startsWith('keeper.json.')) keepers.add(name);
      if (keepers.size === 2) rmSync(file, { force: true });
    });

    await useStorage();

    watcher.close();
    expect(keepers.size).toBeGreaterThan(1);
  });

  it('given two processes of different folders that start at once, then each has its own, though both want the usual ports', async () => {
    const another = mkdtempSync(join(tmpdir(), 'ahds-'));
    const [first, second] = await Promise.all([useStorage(), useStorage(another)]);

    expect(connectionOf(second)).not.toBe(connectionOf(first));

    await release(second);
    rmSync(another, { recursive: true });
  });

  it('given the files of a killed keeper, then a new Azurite is started', async () => {
    const first = await useStorage();
    const pid = keeperPid(appRoot) ?? Number.NaN;
    process.kill(pid, 'SIGKILL');
    await eventually(() => (isAlive(pid) ? undefined : true));

    await tableOf(await useStorage()).createTable();
    await first.kill();
  });

  it('given the usual ports are in use, then Azurite gets others', async () => {
    let looks = 0;
    const taken = await eventually(() =>
      takePort(10_002).catch(async () => {
        await pause(100); // the storage of another test gives it back
        looks += 1;
        return looks === 100 ? { release() {} } : undefined; // another program keeps the port
      }),
    );

    const user = await useStorage();

    expect(connectionOf(user)).not.toContain(':10002/');
    taken.release();
  });

  it('given a .local that cannot be written, then one line says so', async () => {
    writeFileSync(join(appRoot, '.local'), 'a file where a folder belongs');

    expect(await failure(NO_STORAGE)).toMatch(/^\S+\.local\/azurite cannot be written \(ENOTDIR\)\. .+$/);
  });
});

describe('when a storage is named', () => {
  it('given a storage that answers, then it is used as it is', async () => {
    const user = startUser({ ...NO_STORAGE, EventStorage: testConnection() });

    await user.printed('provided as it is');
  });

  it('given a storage that does not answer, then one line says so, without the key', async () => {
    const { port, release } = await takePort();
    release();
    const endpoints = ['Blob', 'Queue', 'Table'].map((name) => `${name}Endpoint=http://127.0.0.1:${port}/account`);
    const connection = `DefaultEndpointsProtocol=http;AccountName=account;AccountKey=c2VjcmV0;${endpoints.join(';')}`;

    const message = await failure({ ...NO_STORAGE, AzureWebJobsStorage: connection });

    expect(message).toMatch(/^Storage does not answer at http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED\)\. .+$/);
    expect(message).not.toContain('c2VjcmV0');
  });
});

function startUser(env: NodeJS.ProcessEnv, root = appRoot): TestProcess {
  const user = startProcess('test/local/storage-user.mjs', [root], { env });
  users.push(user);
  return user;
}

async function useStorage(root = appRoot): Promise<TestProcess> {
  const user = startUser(NO_STORAGE, root);
  await user.printed('provided Default');
  return user;
}

async function release(user: TestProcess): Promise<void> {
  user.process.kill('SIGTERM');
  await user.printed('released');
}

/** Expects that the start fails, and returns the printed text. */
async function failure(env: NodeJS.ProcessEnv): Promise<string> {
  const user = startUser(env);
  expect(await user.ended).toBe(1);
  return user.output();
}

function connectionOf(user: TestProcess): string {
  return /provided (\S+)/.exec(user.output())?.[1] ?? '';
}

const tableName = `t${randomUUID().replaceAll('-', '')}`;

function tableOf(user: TestProcess): TableClient {
  return TableClient.fromConnectionString(connectionOf(user), tableName, { allowInsecureConnection: true });
}
