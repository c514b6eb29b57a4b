import { describe, expect, it } from '@jest/globals';
import { describeUnknownSettings } from '../../src/local/unknown-settings.js';
import { SETTING_NAMES } from '../../src/setting-names.js';

const TITLE = 'local.settings.json has names that the app does not know:\n';

describe('when names of settings are checked', () => {
  it.each([
    { typed: 'SIMULATR', meant: 'SIMULATOR' },
    { typed: 'SIMULTR', meant: 'SIMULATOR' },
    { typed: 'POT', meant: 'PORT' },
    { typed: 'LOKUPS', meant: 'LOOKUPS' },
    { typed: 'LOOKUPS_', meant: 'LOOKUPS' },
    { typed: 'lease_secnods', meant: 'LEASE_SECONDS' },
    { typed: 'EventStorage__tableServiceUrl', meant: 'EventStorage__tableServiceUri' },
    { typed: 'EventStorge', meant: 'EventStorage' },
    { typed: 'AzureWebJobStorage', meant: 'AzureWebJobsStorage' },
    { typed: 'OTEL_TRACE_SAMPLER', meant: 'OTEL_TRACES_SAMPLER' },
    { typed: 'MY_LIMITS', meant: 'MY_LIMIT' },
  ])('given $typed, then the line asks for $meant', ({ typed, meant }) => {
    expect(describeUnknownSettings([typed], ['MY_LIMIT'])).toBe(`${TITLE}- ${typed}: did you mean ${meant}?\n`);
  });

  it.each(['GREETING', 'SIMUTR', 'HOST'])(
    'given %s, which is near none, then the line says how to make it known',
    (name) => {
      expect(describeUnknownSettings(['SIMULATOR', name], [])).toBe(
        `${TITLE}- ${name}: no workflow asks for it in setup. Remove it, unless a handler reads it.\n`,
      );
    },
  );

  it.each([
    {
      given: "the app's own, in any case",
      names: [...SETTING_NAMES, ...SETTING_NAMES.map((name) => name.toLowerCase())],
    },
    { given: 'parts of connections', names: ['EventStorage__credential', 'WorkflowStorage__accountName'] },
    {
      given: "the host's",
      names: [
        'FUNCTIONS_WORKER_RUNTIME',
        'AzureWebJobsStorage',
        'AzureWebJobsStorage__accountName',
        'AzureWebJobs.wakeDue.Disabled',
      ],
    },
    { given: "OpenTelemetry's", names: ['OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_EXPORTER_OTLP_PROTOCOL'] },
    {
      given: 'those of Azure and Node',
      names: ['WEBSITE_TIME_ZONE', 'AZURE_TENANT_ID', 'NODE_OPTIONS', 'HTTPS_PROXY'],
    },
    { given: 'what a workflow asks for in setup', names: ['GREETING'] },
  ])('given $given, then nothing is reported', ({ names }) => {
    expect(describeUnknownSettings(names, ['GREETING'])).toBeUndefined();
  });
});
