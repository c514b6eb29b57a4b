import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { eventually } from './eventually.js';
import { keeperPid } from './keeper.js';
import { startProcess, type TestProcess } from './test-process.js';

export type AppFolder = {
  path(): string;
  /** Starts a script that ends with the test; with `lasts`, after all tests of the file. */
  start(script: string, args: readonly string[], options?: { env?: NodeJS.ProcessEnv; lasts?: true }): TestProcess;
};

/** Creates a folder like a fresh clone of the project, for all tests of a file. Its settings name no storage. */
export function useAppFolder(): AppFolder {
  let folder = '';
  const started: TestProcess[] = [];
  const lasting: TestProcess[] = [];
  const endAll = (processes: TestProcess[]) => Promise.all(processes.splice(0).map((process) => process.kill()));
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ahds-'));
    for (const file of ['host.json', 'local.settings.sample.json']) copyFileSync(file, join(folder, file));
  });
  afterEach(() => endAll(started));
  afterAll(async () => {
    await endAll(lasting);
    await eventually(() => (keeperPid(folder) === undefined ? true : undefined));
    rmSync(folder, { recursive: true });
  });
  return {
    path: () => folder,
    start(script, args, { env = {}, lasts } = {}) {
      const noStorage = { EventStorage: '', AzureWebJobsStorage: '' };
      const process = startProcess(script, args, { env: { ...noStorage, ...env }, cwd: folder });
      (lasts ? lasting : started).push(process);
      return process;
    },
  };
}
