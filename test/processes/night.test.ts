import { randomInt } from 'node:crypto';
import startAzurite from '../azurite/start.js';
import stopAzurite from '../azurite/stop.js';
import { spendNight } from './night.js';

// A night of its own needs a storage of its own, for it stops it; `npm run soak` spends longer ones.

const MS = 15_000;
const shared = { storage: process.env.TEST_STORAGE, pid: process.env.TEST_AZURITE_PID };

beforeAll(() => startAzurite({ rootDir: process.cwd() }));

afterAll(async () => {
  await stopAzurite();
  process.env.TEST_STORAGE = shared.storage;
  process.env.TEST_AZURITE_PID = shared.pid;
});

it('given hosts that are killed and a storage that stands still and refuses connections, then nothing is lost and nothing completed runs again', async () => {
  const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
  const storage = { connectionString: process.env.TEST_STORAGE ?? '', pid: Number(process.env.TEST_AZURITE_PID) };

  const report = await spendNight({ seed, ms: MS, hosts: 2, storage, say: () => undefined });

  expect({ seed, wrongs: report.wrongs }).toEqual({ seed, wrongs: [] });
  expect(report.kills).toBeGreaterThan(0);
  expect(report.runs).toBeGreaterThanOrEqual(50);
});
