import { ConfigError } from '../../src/config.js';
import { readSettings } from '../../src/functions/read-settings.js';
import { registerWrongSettings } from '../../src/functions/wrong-settings.js';
import { defineWorkflow, fhir, WorkflowError } from '../../src/workflow.js';
import { createFakeFunctions } from './fake-functions.js';

const ENV = { EventStorage: 'UseDevelopmentStorage=true' };
const NUMBER = 'a whole number from';

let logged: jest.SpiedFunction<typeof console.error>;
beforeEach(() => {
  logged = jest.spyOn(console, 'error').mockReturnValue();
});
afterEach(() => logged.mockRestore());

/** The functions of an app whose settings are these, which must be wrong. */
function start(env: Record<string, string>, problems: readonly string[] = []) {
  const setup = () => (problems.length > 0 ? { kind: 'wrong' as const, problems } : { kind: 'on' as const });
  const workflow = defineWorkflow({ name: 'one', on: fhir('*'), setup, handle() {} });
  const functions = createFakeFunctions();
  try {
    readSettings([workflow], { ...ENV, ...env });
  } catch (error) {
    registerWrongSettings(functions.app, error as ConfigError);
  }
  return functions;
}

describe('when workflows share a name', () => {
  it('given a deployed app, then its functions report this, and only the log names the files', async () => {
    const functions = createFakeFunctions();
    const twin = () => defineWorkflow({ name: 'twin', on: fhir('*'), handle() {} });
    const message = "Workflows share a name; the app's log names the files.";
    try {
      readSettings([twin(), twin()], ENV);
    } catch (error) {
      registerWrongSettings(functions.app, error as WorkflowError);
    }

    expect(await functions.get('healthLive')).toEqual({ status: 503, jsonBody: { live: false, problems: [message] } });
    await expect(functions.call('fhirEvents', [])).rejects.toThrow(new WorkflowError(message));
    expect(logged.mock.calls.flat().join()).toMatch(/named 'twin': .*wrong-settings\.test\.ts:\d+:\d+ and /);
  });
});

describe('when settings are wrong', () => {
  it('given the webhook, then only the webhook and the health functions are registered', () => {
    const functions = start({ LEASE_SECONDS: '1' });

    const all = functions
      .names()
      .map((name) => [name, functions.optionsOf(name)?.route, functions.optionsOf(name)?.authLevel]);
    expect(all).toEqual([
      ['healthLive', 'health/live', 'anonymous'],
      ['healthReady', 'health/ready', 'function'],
      ['fhirEvents', undefined, undefined],
      ['dicomEvents', undefined, undefined],
    ]);
  });

  it('given a queue of events, then there is no webhook, and the events wait in the queue', () => {
    process.env.INGRESS = 'queue';
    const functions = start({ LEASE_SECONDS: '1' });
    delete process.env.INGRESS;

    expect(functions.names()).toEqual(['healthLive', 'healthReady']);
  });

  it('given several of them, then both health functions answer 503 with names and expectations, without a value', async () => {
    const functions = start({ LEASE_SECONDS: '77777', EventStorage: 'secret-marker', LOOKUPS: 'secret' });
    const problems = [
      'EventStorage must be a storage connection string or UseDevelopmentStorage=true',
      `LEASE_SECONDS must be ${NUMBER} 30 to 300`,
      "LOOKUPS must be 'on' or 'off'",
    ];

    expect(await functions.get('healthLive')).toEqual({ status: 503, jsonBody: { live: false, problems } });
    expect(await functions.get('healthReady')).toEqual({ status: 503, jsonBody: { ready: false, problems } });
    expect(JSON.stringify(await functions.get('healthLive'))).not.toMatch(/secret|77777/);
  });

  it.each(['fhirEvents', 'dicomEvents'])(
    'given events for %s, then it throws with the problems, so that Event Grid sends them again',
    async (name) => {
      const functions = start({ LEASE_SECONDS: '77777' });
      const error = new ConfigError([`LEASE_SECONDS must be ${NUMBER} 10 to 300`]);

      expect(functions.optionsOf(name)?.trigger).toMatchObject({ type: 'eventGridTrigger', cardinality: 'many' });
      await expect(functions.call(name, [{ id: '1' }])).rejects.toEqual(error);
    },
  );

  it("given a workflow's problem in the usual form, then its expectation is shown; in another form, only that there is one", async () => {
    const usual = "MODE is 'secret, must be secret', must be right";
    const functions = start({}, [usual, 'the secret is no good']);

    expect(await functions.get('healthLive')).toMatchObject({
      jsonBody: { problems: ['MODE must be right', "another problem, which only the app's log describes"] },
    });
  });

  it('given a wrong setting, then the log of the host has the whole error', () => {
    start({ LEASE_SECONDS: '1' });

    expect(logged.mock.calls).toEqual([
      ["error Fix these settings:\n- LEASE_SECONDS is '1', must be a whole number from 10 to 300"],
    ]);
  });
});
