import { randomInt } from 'node:crypto';
import startAzurite from '../azurite/start.js';
import stopAzurite from '../azurite/stop.js';
import { spendNight } from './night.js';

// The night stops its storage, so this file starts its own Azurite. `npm run soak` runs longer nights.

const MS = 15_000;
const shared = { storage: process.env.TEST_STORAGE, pid: process.env.TEST_AZURITE_PID };

beforeAll(() => startAzurite({ rootDir: process.cwd() }));

afterAll(async () => {
  await stopAzurite();
  process.env.TEST_STORAGE = shared.storage;
  process.env.TEST_AZURITE_PID = shared.pid;
});

it('given killed hosts and faulty storage, then no event is lost and no completed job runs again', async () => {
  const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
  const storage = { connectionString: process.env.TEST_STORAGE ?? '', pid: Number(process.env.TEST_AZURITE_PID) };

  const report = await spendNight({ seed, ms: MS, hosts: 2, storage, say: () => undefined });

  expect({ seed, wrongs: report.wrongs }).toEqual({ seed, wrongs: [] });
  expect(report.kills).toBeGreaterThan(0);
  expect(report.runs).toBeGreaterThanOrEqual(50);
});
