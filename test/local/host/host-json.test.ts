import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parseHostJson } from '../../../src/local/host/host-json.js';
import { StartError } from '../../../src/local/host/start-error.js';

describe('when host.json is read', () => {
  it("given this project's own, then the queues are polled as designed", () => {
    const settings = parseHostJson(JSON.parse(readFileSync('host.json', 'utf8')));

    expect(settings).toEqual({
      functionTimeoutMs: 1_800_000,
      routePrefix: 'api',
      logLevel: 'information',
      queues: {
        batchSize: 32,
        newBatchThreshold: 32,
        maxDequeueCount: 1_000_000, // I2: most of a year
        visibilityTimeoutMs: 30_000,
        maxPollingIntervalMs: 2000,
        messageEncoding: 'base64',
      },
    });
  });

  it('given only a version, then the settings are the defaults of the real host', () => {
    expect(parseHostJson({ version: '2.0' })).toMatchObject({
      routePrefix: 'api',
      queues: { batchSize: 16, newBatchThreshold: 8, maxDequeueCount: 5, maxPollingIntervalMs: 60_000 },
    });
  });

  it('given several wrong settings, then all are named', () => {
    const read = () =>
      parseHostJson({ version: '1.0', functionTimeout: '5 minutes', extensions: { queues: { batchSize: 33 } } });

    expect(read).toThrow(StartError);
    expect(read).toThrow(/version[\s\S]*functionTimeout[\s\S]*batchSize/);
  });
});
