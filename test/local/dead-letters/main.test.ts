import { VERBS } from '../../../src/local/dead-letters/help.js';
import { startProcess } from '../test-process.js';

async function run(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const process = startProcess('src/local/dead-letters/main.ts', args, { env });
  return { code: await process.ended, stdout: process.stdout(), output: process.output() };
}

const NOWHERE = `DefaultEndpointsProtocol=http;AccountName=a;AccountKey=c2VjcmV0;${['Blob', 'Queue', 'Table']
  .map((service) => `${service}Endpoint=http://127.0.0.1:9/a`)
  .join(';')}`;

describe('npm run dead-letters', () => {
  it.each(VERBS)('given %s --help, then it prints options and exit codes, and does nothing else', async (verb) => {
    const { code, stdout } = await run([verb, '--help'], { EventStorage: NOWHERE });

    expect(code).toBe(0);
    expect(stdout).toContain(`npm run dead-letters -- ${verb}`);
    expect(stdout).toContain('Exit code: 0');
  });

  it('given --help, then it prints every verb', async () => {
    const { code, stdout } = await run(['--help']);

    expect(code).toBe(0);
    for (const verb of VERBS) expect(stdout).toMatch(new RegExp(`^ {2}${verb} `, 'm'));
  });

  it('given no verb, then the exit code is 2, and the help is printed', async () => {
    const { code, output } = await run([], { EventStorage: NOWHERE });

    expect(code).toBe(2);
    expect(output).toContain('npm run dead-letters -- VERB');
  });

  it.each([
    { args: ['mend'], says: "'mend' is not a verb, must be one of list, show, redrive, discard, export." },
    { args: ['shwo'], says: 'Did you mean show?' },
    { args: ['list', '--payload'], says: "Unknown option '--payload'." },
    { args: ['list', '--account', 'Events/1'], says: "--account is 'Events/1', must be the name" },
    { args: ['list', '--account', 'events', '--undelivered-account', 'x'], says: "--undelivered-account is 'x'" },
    {
      args: ['list', '--stage', 'lost\x1b[31m'],
      says: "--stage is 'lost\\u001b[31m', must be one of invalid, failed,",
    },
    { args: ['discard', '--all'], says: '--why is missing' },
    { args: ['show', 'id', '--out', 'event.json'], says: "--out is 'event.json', which is in the project" },
  ])('given $args, then the exit code is 2, and one line says what is wrong', async ({ args, says }) => {
    const { code, output, stdout } = await run(args, { EventStorage: NOWHERE });

    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(output).toContain(says);
    expect(output).toMatch(/^[^\n\p{Cc}]* --help has the rest\.$/u);
  });

  it('given storage that does not answer, then the exit code is 3, and no secret is printed', async () => {
    const { code, output } = await run(['list'], { EventStorage: NOWHERE });

    expect(code).toBe(3);
    expect(output).toContain('Storage does not answer');
    expect(output).not.toContain('c2VjcmV0');
  });

  it('given an id of no dead letter, then the exit code is 1', async () => {
    const { code, output } = await run(['show', 'nonsense'], { EventStorage: process.env.TEST_STORAGE ?? '' });

    expect(code).toBe(1);
    expect(output).toContain('No dead letter has this id.');
  });
});
