import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { CHAOS_LEVELS } from '../../src/simulator/chaos/chaos.js';
import { useAppFolder } from '../local/app-folder.js';
import { eventually } from '../local/eventually.js';
import type { TestProcess } from '../local/test-process.js';

const run = promisify(execFile);
const page = readFileSync('docs/simulator.md', 'utf8');
const examples = [...page.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, commands = '']) => commands);

const searches = [...page.matchAll(/^\| `_?[a-z].* \| `([A-Z]?\w*\?[^`]+)` \|$/gm)].map(([, search = '']) => search);

const folder = useAppFolder();
let app: TestProcess;
let url = '';
beforeAll(async () => {
  app = folder.start('src/local/start.ts', ['--no-demo', '--port', '0'], { lasts: true });
  await app.printed('Ctrl-C ends it.');
  url = /Serving on (\S+)\. /.exec(app.output())?.[1] ?? '';
});

describe('when a reader follows docs/simulator.md', () => {
  it('given the page, then it has examples of commands and eleven searches', () => {
    expect(examples.length).toBeGreaterThanOrEqual(5);
    expect(searches).toHaveLength(11);
  });

  it.each(examples)('given the commands\n%s then the simulator accepts each', async (commands) => {
    const { stdout } = await run('bash', ['-e', '-c', commands.replaceAll('http://localhost:7071', url)]);

    expect(stdout).not.toMatch(/"error":\{|OperationOutcome/);
    expect(stdout).toMatch(/^[[{]/);
  });

  it('given the sample image a second time, then the simulator refuses to store it again, and its event has arrived', async () => {
    const command = examples.find((commands) => commands.includes('sample-image.dcm'))?.split('\ncurl')[0] ?? '';

    const { stdout: again } = await run('bash', ['-e', '-c', command.replaceAll('http://localhost:7071', url)]);
    const { events } = (await (await fetch(`${url}/api/simulator/events`)).json()) as { events: { type: string }[] };

    expect(JSON.parse(again)).toMatchObject({ '00081198': { Value: [{ '00081197': { Value: [45070] } }] } });
    expect(events.map(({ type }) => type)).toContain('Microsoft.HealthcareApis.DicomImageCreated');
  });

  it.each(searches)('given the listed search %s, then the simulator supports every parameter', async (search) => {
    const response = await fetch(`${url}/api/simulator/fhir/${search}`, { headers: { prefer: 'handling=strict' } });

    expect({ status: response.status, ...((await response.json()) as object) }).toMatchObject({
      status: 200,
      type: 'searchset',
    });
  });

  it('given the commands that npm start prints, then they create and find a Patient and show its event', async () => {
    const shown = [...app.output().matchAll(/^ {4}(curl [\s\S]*?[^\\])$/gm)].map(([, command = '']) => command);
    const [create = '', events = '', event = '', find = ''] = shown;

    const { stdout: created } = await run('bash', ['-e', '-c', create]);
    const { stdout: listed } = await run('bash', ['-e', '-c', events]);
    const [newest] = (JSON.parse(listed) as { events: { id: string; type: string }[] }).events;
    const status = await eventually(async () => {
      const { stdout } = await run('bash', ['-e', '-c', event.replace('ITS-ID', newest?.id ?? '')]);
      return stdout.includes('"completed"') ? stdout : undefined;
    });
    const found = await eventually(async () => {
      const { stdout } = await run('bash', ['-e', '-c', find]);
      return stdout.includes('Nguyen') ? stdout : undefined;
    });

    expect(created).toContain('201');
    expect(newest?.type).toBe('Microsoft.HealthcareApis.FhirResourceCreated');
    expect(status).toContain('resource-index');
    expect(JSON.parse(found)).toMatchObject({ patients: { 0: { family: 'Nguyen' } }, isMore: false });
  });

  it.each(Object.keys(CHAOS_LEVELS.none))('given the property %s of chaos, then the page explains it', (property) => {
    expect(page).toMatch(new RegExp(`^\\| .*\`${property}\`.* \\|`, 'm'));
  });
});
