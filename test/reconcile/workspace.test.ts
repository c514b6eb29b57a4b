import { readFileSync } from 'node:fs';
import { workspaceOf } from '../../src/reconcile/workspace.js';

const PROVIDER = '/subscriptions/1/resourcegroups/r/providers/microsoft.healthcareapis/workspaces';
const HOST = 'clinic-a.fhir.azurehealthcareapis.com';
const SIMULATED = 'simulator-main.dicom.azurehealthcareapis.com';

describe('when the workspace of a service is needed', () => {
  it.each([
    { given: 'one workspace of this name', names: ['clinic'], host: HOST, then: 'clinic' },
    { given: 'one workspace of another name', names: ['other'], host: HOST, then: 'other' },
    { given: 'several', names: ['other', 'clinic', 'clin'], host: HOST, then: 'clinic' },
    { given: 'two names of which one begins with the other', names: ['a', 'a-b'], host: 'a-b-c.fhir.x', then: 'a-b' },
    { given: 'another letter case', names: ['other', 'Clinic'], host: HOST, then: 'Clinic' },
  ])('given $given, then the workspace is $then', ({ names, host, then }) => {
    const workspaces = names.map((name) => `${PROVIDER}/${name}`);

    expect(workspaceOf(host, { workspaces })).toBe(`${PROVIDER}/${then}`);
  });

  it.each([
    { given: 'no workspace', settings: {} },
    { given: 'several of other names', settings: { workspaces: [`${PROVIDER}/one`, `${PROVIDER}/two`] } },
    { given: 'a simulated host without the simulator', settings: {}, host: SIMULATED },
  ])('given $given, then the error says what to set', ({ settings, host = HOST }) => {
    expect(() => workspaceOf(host, settings)).toThrow(
      expect.objectContaining({
        name: 'NonRetriableError',
        code: 'workspace-unknown',
        message: expect.stringContaining('Set WORKSPACES to the Azure resource id of each workspace'),
      }),
    );
  });

  it('given the simulator without WORKSPACES, then the workspace is that of its events', () => {
    const [, named] = /const WORKSPACE = '([^']+)'/.exec(readFileSync('src/simulator/register.ts', 'utf8')) ?? [];

    expect(named).toBeDefined();
    expect(workspaceOf(SIMULATED, { simulator: true })).toBe(named);
  });

  it('given the simulator with several workspaces, then the workspace is the first, as in its events', () => {
    const workspaces = [`${PROVIDER}/one`, `${PROVIDER}/simulator`];

    expect(workspaceOf(SIMULATED, { workspaces, simulator: true })).toBe(`${PROVIDER}/one`);
  });
});
