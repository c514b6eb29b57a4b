import { afterAll, beforeAll } from '@jest/globals';
import startAzurite from '../azurite/start.js';
import stopAzurite from '../azurite/stop.js';

/** Starts a new, empty Azurite for the tests of one file. */
export function useOwnAzurite(): { connectionString(): string; pid(): number } {
  const shared = { storage: process.env.TEST_STORAGE, pid: process.env.TEST_AZURITE_PID };
  beforeAll(() => startAzurite({ rootDir: process.cwd() }), 120_000);
  afterAll(async () => {
    await stopAzurite();
    process.env.TEST_STORAGE = shared.storage;
    process.env.TEST_AZURITE_PID = shared.pid;
  });
  return {
    connectionString: () => process.env.TEST_STORAGE ?? '',
    pid: () => Number(process.env.TEST_AZURITE_PID),
  };
}
