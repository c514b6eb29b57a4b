import { ConfigError } from '../../src/config.js';
import { readSettings } from '../../src/functions/read-settings.js';
import { registerFunctions, writeToHost } from '../../src/functions/register.js';
import { defineWorkflow, fhir, hours, type Setting, type Setup } from '../../src/workflow.js';
import { rawFhirEvent } from '../testing/raw-events.js';
import { createFakeFunctions } from './fake-functions.js';
import { composeMemoryApp } from './memory-app.js';

const ENV = { EventStorage: 'UseDevelopmentStorage=true' };
const named = (name: string) => defineWorkflow({ name, on: fhir('*'), handle() {} });
const patient = defineWorkflow({
  name: 'patient',
  on: fhir('*'),
  retry: { giveUpAfter: hours(7 * 24) },
  handle() {},
});

describe('when a line is written to the console', () => {
  it('given an id that would act on the terminal, writes it escaped', () => {
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => {});

    writeToHost('warn', JSON.stringify({ what: 'job-retries', eventId: '\x1b[2J\x9b31m\u202e' }));

    expect(warn.mock.calls).toEqual([['warn {"what":"job-retries","eventId":"\\u001b[2J\\u009b31m\\u202e"}']]);
    warn.mockRestore();
  });
});

describe('when the app is registered', () => {
  it('given right settings, then every function is registered', () => {
    const functions = createFakeFunctions();

    registerFunctions(functions.app, composeMemoryApp().app);

    expect(functions.names()).toEqual([
      'fhirEvents',
      'dicomEvents',
      'wakeDue',
      'redeliver',
      'redeliverLong',
      'expireLedger',
      'measureBacklog',
      'redriveUndelivered',
      'healthLive',
      'healthReady',
      'events',
      'fhirChanges',
      'dicomChanges',
      'overview',
      'recent',
      'actions',
      'stats',
      'workflows',
      'pauseWorkflow',
      'resumeWorkflow',
      'deadLetters',
      'deadLetter',
      'deadLetterPayload',
      'redriveDeadLetters',
      'discardDeadLetters',
      'deadLetterOutcomes',
      'askReconcile',
      'reconcileRequests',
      'reconcileRequest',
      'access',
      'openApi',
    ]);
  });

  it('given a queue of events, then its functions replace the webhook', () => {
    const [webhook, queue] = ['webhook', 'queue'].map((INGRESS) => {
      const functions = createFakeFunctions();
      registerFunctions(functions.app, composeMemoryApp({ env: { INGRESS } }).app);
      return functions.names();
    });

    expect(queue).toEqual(['queuedEvents', 'poisonedEvents', ...(webhook ?? []).slice(2)]);
  });

  it('given a service that may be read, then the timer reconcile is registered, too', () => {
    const functions = createFakeFunctions();

    const { app } = composeMemoryApp({ env: { FHIR_HOSTS: 'w-f.fhir.azurehealthcareapis.com' } });
    registerFunctions(functions.app, app);

    expect(functions.names()).toContain('reconcile');
  });

  it('given all functions, then only health/live needs no key, and those that change or show more need an admin key', () => {
    const functions = createFakeFunctions();

    registerFunctions(functions.app, composeMemoryApp().app);

    const levels = functions
      .names()
      .map((name) => [functions.optionsOf(name)?.route, functions.optionsOf(name)?.authLevel]);
    expect(levels.filter(([route]) => route !== undefined)).toEqual([
      ['health/live', 'anonymous'],
      ['health/ready', 'function'],
      ['events/{eventId?}', 'function'],
      ['changes/fhir', 'function'],
      ['changes/dicom', 'function'],
      ['overview', 'function'],
      ['recent', 'function'],
      ['actions', 'function'],
      ['stats', 'function'],
      ['workflows', 'function'],
      ['workflows/{name}/pause', 'admin'],
      ['workflows/{name}/resume', 'admin'],
      ['dead-letters', 'function'],
      ['dead-letters/{id}', 'function'],
      ['dead-letters/{id}/payload', 'admin'],
      ['dead-letters/redrive', 'admin'],
      ['dead-letters/discard', 'admin'],
      ['dead-letters/outcomes', 'admin'],
      ['reconcile', 'admin'],
      ['reconcile', 'admin'],
      ['reconcile/{id}', 'admin'],
      ['access', 'admin'],
      ['openapi.json', 'function'],
    ]);
  });

  it('given the process starts, then it looks for due rows, and every 10 s after that', async () => {
    const functions = createFakeFunctions();
    const { app, stores, clock } = composeMemoryApp();
    registerFunctions(functions.app, app);
    const looks = () => stores.tables.inspect('looks').map(({ row }) => row.looks);

    await functions.start();
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
    expect(looks()).toEqual([1]);
    clock.advance(10_500);
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);

    expect(looks()).toEqual([2]);
    await functions.terminate();
  });

  it('given the process ends, then the pipeline is stopped, and claims nothing more', async () => {
    const functions = createFakeFunctions();
    const handled: string[] = [];
    const note = defineWorkflow({ name: 'note', on: fhir('*'), handle: ({ id }) => void handled.push(id) });
    const { app, lines } = composeMemoryApp({ workflows: [note] });
    registerFunctions(functions.app, app);

    await functions.terminate();
    await app.pipeline.deliver([rawFhirEvent()]);

    expect(lines.slice(0, 2)).toEqual(['info {"what":"stopping","count":0}', 'info {"what":"stopped","count":0}']);
    expect(handled).toEqual([]);
  });
});

describe('when the settings are read', () => {
  it('given right settings, then the app has their values', () => {
    expect(readSettings([named('a'), named('b')], ENV).config.leaseMs).toBe(60_000);
  });

  it('given no workflows, then the app starts', () => {
    expect(() => readSettings([], ENV)).not.toThrow();
  });

  it('given settings that are wrong, then one error lists them all', () => {
    const read = () => readSettings([named('a')], { ...ENV, LEASE_SECONDS: '1', DEADLINE_SECONDS: 'soon' });

    expect(read).toThrow(ConfigError);
    expect(read).toThrow(
      [
        'Fix these settings:',
        "- DEADLINE_SECONDS is 'soon', must be a whole number from 5 to 20",
        "- LEASE_SECONDS is '1', must be a whole number from 10 to 300",
      ].join('\n'),
    );
  });

  it('given workflows that are off or wrong with these settings, then they are left out, or the start fails', () => {
    const setup = (setting: Setting): Setup<'mode-off'> => {
      const mode = setting('MODE');
      if (mode === 'wrong') return { kind: 'wrong', problems: ["MODE is 'wrong', must be right"] };
      return mode === 'off' ? { kind: 'off', code: 'mode-off' } : { kind: 'on' };
    };
    const moody = defineWorkflow({ name: 'moody', on: fhir('*'), codes: ['mode-off'], setup, handle() {} });
    const read = (mode: string) => readSettings([named('a'), moody], { ...ENV, MODE: mode });

    expect(read('on')).toMatchObject({ on: [{ name: 'a' }, { name: 'moody' }], off: [] });
    expect(read('off')).toMatchObject({ on: [{ name: 'a' }], off: [{ name: 'moody', code: 'mode-off' }] });
    expect(() => read('wrong')).toThrow("Fix these settings:\n- MODE is 'wrong', must be right");
  });

  it('given a workflow that retries for longer than the retention of the ledger, then the error says so', () => {
    expect(() => readSettings([named('a'), patient], ENV)).toThrow('LEDGER_RETENTION_DAYS is 7, must be at least 14');
  });
});
