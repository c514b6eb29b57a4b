import { describe, expect, it } from '@jest/globals';
import { useAppFolder } from '../app-folder.js';
import { eventually } from '../eventually.js';
import { keeperPid } from '../keeper.js';
import type { TestProcess } from '../test-process.js';

const folder = useAppFolder();
const NOWHERE = ['--url', 'http://127.0.0.1:9'];

describe('when npm run simulate runs', () => {
  it('given no app runs, then it starts one, plays the scenario, prints the verdict, and ends the app', async () => {
    const simulation = simulate(['--scenario', 'clinic-day', '--events', '200', '--seed', '7', '--chaos', 'light']);

    expect(await simulation.ended).toBe(0);
    expect(simulation.output()).toMatch(/^ {2}sent +200, 0 of them malformed$/m);
    expect(simulation.output()).toMatch(/^ {2}settled +200, /m);
    expect(simulation.output()).toMatch(/^ {2}lag +mean .* p99.99 .* within 5 s/m);
    expect(simulation.output()).toMatch(/^ {2}LOST +0$/m);
    await eventually(() => (keeperPid(folder.path()) === undefined ? true : undefined));
  });

  it('given --json, then standard output is only the verdict', async () => {
    const simulation = simulate(['--scenario', 'correction-storm', '--events', '100', '--json']);

    expect(await simulation.ended).toBe(0);
    expect(JSON.parse(simulation.stdout())).toMatchObject({
      phase: 'done',
      verdict: { ok: true, events: { sent: 100, lost: 0 } },
    });
  });

  it('given Ctrl-C, then the run is stopped, and the started app ends', async () => {
    const simulation = simulate(['--events', '100000', '--rate', '50']);
    await simulation.printed('making events');

    simulation.process.kill('SIGINT');

    expect(await simulation.ended).toBe(130);
    await eventually(() => (keeperPid(folder.path()) === undefined ? true : undefined));
  });

  it('given the app dies in mid-run, then the exit code is 3, and the error says so', async () => {
    const app = folder.start('src/local/start.ts', ['--no-demo', '--port', '0'], { env: { SIMULATOR: 'on' } });
    await app.printed('Serving on');
    const url = /^Serving on (\S+)\. /m.exec(app.output())?.[1] ?? '';
    const simulation = folder.start('src/local/simulate/main.ts', ['--url', url, '--events', '100000', '--rate', '50']);
    await simulation.printed('making events');

    await app.kill();

    expect(await simulation.ended).toBe(3);
    expect(simulation.output()).toContain(`The app does not answer any more: ${url}`);
    expect(simulation.stdout()).toBe('');
  });

  it.each([
    { given: 'an option that is not known', args: ['--xyz', '1'], code: 2, says: "Unknown option '--xyz'. --help has" },
    { given: 'an option with a typo', args: ['--event', '1'], code: 2, says: 'Did you mean --events? --help has' },
    { given: 'an address where nothing is', args: NOWHERE, code: 3, says: 'start the app there' },
    { given: '--help', args: ['--help'], code: 0, says: 'Exit code' },
    { given: '--list', args: ['--list'], code: 0, says: 'imaging-night' },
    { given: 'an endpoint that is none', args: ['--topic-endpoint', 'nowhere'], code: 2, says: 'eventgrid.azure.net' },
  ])('given $given, then the exit code is $code, and the output says what to do', async ({ args, code, says }) => {
    const simulation = simulate(args);

    expect(await simulation.ended).toBe(code);
    expect(simulation.output()).toContain(says);
  });

  it.each([
    { args: ['--events', 'many'], says: /^--events is 'many', must be a whole number from 1 to 1000000\./ },
    { args: ['--rate', '0'], says: /^--rate is '0', must be a number from 1 to 100000\./ },
    { args: ['--time-scale', '0'], says: /^--time-scale is '0', must be a number from 1 to 100000\./ },
    { args: ['--seed', '-1'], says: /^--seed needs a value; one that begins with '-' is written --seed=VALUE\./ },
    { args: ['--seed=-1'], says: /^--seed is '-1', must be a whole number from 0 to 4294967295\./ },
    {
      args: ['--chaos', 'wild'],
      says: /^--chaos is 'wild', must be none, light, rough or lossy, or an object with any of dupl/,
    },
    { args: ['--chaos', '{"duplicates":7}'], says: /^--chaos has duplicates, which must be a number from 0 to 1\./ },
    { args: ['--chaos', '{"a":1}'], says: /^--chaos has a, which is not known here, must be one of duplicates, / },
    { args: ['--chaos', '{"a"'], says: /^--chaos is '{"a"', which is not JSON: line 1, column 5 is where it stops/ },
    { args: ['--scenario', 'party'], says: /^--scenario is 'party', must be one of clinic-day, / },
    { args: ['--url', 'nonsense'], says: /^--url is 'nonsense', must be a URL such as / },
  ])('given $args, then the exit code is 2, and the error says what is wrong', async ({ args, says }) => {
    const simulation = simulate(args);

    expect(await simulation.ended).toBe(2);
    expect(simulation.output()).toMatch(says);
    expect(simulation.output()).toMatch(/^.* --help has the rest\.$/);
    expect(simulation.output()).not.toContain('.ts');
  });
});

/** Starts the command with settings whose port has no server. */
function simulate(args: readonly string[]): TestProcess {
  return folder.start('src/local/simulate/main.ts', args, { env: { PORT: '9' } });
}
