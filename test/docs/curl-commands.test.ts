import { readdirSync, readFileSync } from 'node:fs';

const PAGES = ['README.md', ...readdirSync('docs').map((name) => `docs/${name}`), 'src/local/what-next.ts'];
/** A command goes on while a line ends with a backslash, and while a quote is open. */
const COMMAND = /\bcurl (?:'[^']*'|\\{1,2}\n|[^'\n])*/g;

const commands = PAGES.flatMap((page) =>
  [...readFileSync(page, 'utf8').matchAll(COMMAND)].map(([command]) => ({ page, command })),
).filter(({ command }) => / -d /.test(command));

describe('when a page shows a curl command with a body', () => {
  it('given the pages, then there are such commands', () => {
    expect(commands.length).toBeGreaterThanOrEqual(10);
  });

  it.each(commands)('given $command in $page, then it declares the type of the body', ({ command }) => {
    const type = command.includes('/api/simulator/fhir') ? 'application/fhir+json' : 'application/json';

    expect(command).toContain(` -H 'content-type: ${type}'`);
  });
});
