import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../src/clock.js';
import { useAzurite } from '../../src/local/azurite.js';
import { StartError } from '../../src/local/host/start-error.js';
import { createFakeClock } from '../../src/testing/index.js';

/** Creates a clock on which every wait is over at once. */
function createHastyClock(): Clock {
  const fake = createFakeClock();
  return {
    ...fake,
    after(ms, run) {
      fake.advance(ms);
      queueMicrotask(run);
      return () => {};
    },
  };
}

describe('when the keeper of an Azurite is about to end', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ahds-'));
    writeFileSync(join(folder, 'azurite.log'), 'the last line');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('given a keeper that runs but no longer listens, then a command tries again for a minute, then names the log', async () => {
    const port = await closedPort();
    writeFileSync(join(folder, 'keeper.json'), JSON.stringify({ pid: process.pid, port }));

    await expect(useAzurite({ folder, ports: [0, 0, 0] }, createHastyClock())).rejects.toThrow(
      new StartError(`Azurite did not start: the last line See ${join(folder, 'azurite.log')}.`),
    );
  });
});

/** Returns a port that was free a moment ago. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
