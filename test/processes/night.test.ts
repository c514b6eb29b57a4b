import { randomInt } from 'node:crypto';
import startAzurite from '../azurite/start.js';
import stopAzurite from '../azurite/stop.js';
import { spendNight } from './night.js';

// A night stops its storage, so this file starts its own Azurite for each. `npm run soak` runs longer nights.

const MS = 8_000;
const shared = { storage: process.env.TEST_STORAGE, pid: process.env.TEST_AZURITE_PID };

beforeEach(() => startAzurite({ rootDir: process.cwd() }));

afterEach(async () => {
  await stopAzurite();
  process.env.TEST_STORAGE = shared.storage;
  process.env.TEST_AZURITE_PID = shared.pid;
});

it.each(['webhook', 'queue'] as const)(
  'given a %s, killed hosts and faulty storage, then no event is lost and no completed job runs again',
  async (ingress) => {
    const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
    const storage = { connectionString: process.env.TEST_STORAGE ?? '', pid: Number(process.env.TEST_AZURITE_PID) };

    const report = await spendNight({ seed, ms: MS, hosts: 2, ingress, storage, say: () => undefined });

    expect({ seed, wrongs: report.wrongs }).toEqual({ seed, wrongs: [] });
    expect(report.kills).toBeGreaterThan(0);
    expect(report.runs).toBeGreaterThanOrEqual(50);
  },
);
