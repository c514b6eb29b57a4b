import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { StartError } from '../../src/local/host/start-error.js';
import { withLocalSettings } from '../../src/local/local-settings.js';

let appRoot: string;
beforeEach(() => {
  appRoot = mkdtempSync(join(tmpdir(), 'ahds-'));
  write('local.settings.sample.json', { AzureWebJobsStorage: 'UseDevelopmentStorage=true', SIMULATOR: 'on' });
});
afterEach(() => rmSync(appRoot, { recursive: true }));

describe('when the settings are read', () => {
  it('given no file, then the settings are those of the sample, without its connection', () => {
    expect(withLocalSettings(appRoot, {})).toEqual({ AZURE_FUNCTIONS_ENVIRONMENT: 'Development', SIMULATOR: 'on' });
  });

  it('given a file, then the settings are its values with its connection, and none of the sample', () => {
    write('local.settings.json', { EventStorage: 'own', LOOKUPS: 'on' });

    expect(withLocalSettings(appRoot, {})).toEqual({
      AZURE_FUNCTIONS_ENVIRONMENT: 'Development',
      EventStorage: 'own',
      LOOKUPS: 'on',
    });
  });

  it('given a setting in the environment, too, then the environment counts, unless it is empty', () => {
    write('local.settings.json', { LOOKUPS: 'on', SIMULATOR: 'on' });

    expect(withLocalSettings(appRoot, { LOOKUPS: 'off', SIMULATOR: '' })).toMatchObject({
      LOOKUPS: 'off',
      SIMULATOR: 'on',
    });
  });

  it('given values that are not texts, then the error names them', () => {
    write('local.settings.json', { PORT: 7191, LOOKUPS: true, WORKSPACES: 'a' } as never);

    expect(() => withLocalSettings(appRoot, {})).toThrow(/put quotes around the values of PORT, LOOKUPS/);
  });

  it('given a file that is not JSON, then a StartError is thrown', () => {
    writeFileSync(join(appRoot, 'local.settings.json'), '{');

    expect(() => withLocalSettings(appRoot, {})).toThrow(StartError);
  });
});

function write(file: string, values: Record<string, string>): void {
  writeFileSync(join(appRoot, file), JSON.stringify({ IsEncrypted: false, Values: values }));
}
