import { readdirSync, readFileSync } from 'node:fs';

const PAGES = [
  'README.md',
  ...['docs', 'docs/deploy'].flatMap((folder) => readdirSync(folder).map((name) => `${folder}/${name}`)),
  'src/local/what-next.ts',
].filter((page) => /\.\w+$/.test(page));
/** A command continues after a backslash at the end of a line, and while a quote is open. */
const COMMAND = /\bcurl (?:'[^']*'|\\{1,2}\n|[^'\n])*/g;

const commands = PAGES.flatMap((page) =>
  [...readFileSync(page, 'utf8').matchAll(COMMAND)].map(([command]) => ({ page, command })),
).filter(({ command }) => / -d /.test(command));

describe('when a page shows a curl command with a body', () => {
  it('given all pages, then they have at least ten of these commands', () => {
    expect(commands.length).toBeGreaterThanOrEqual(10);
  });

  it.each(commands)(
    'given $command in $page, then the command declares the content type of its body',
    ({ command }) => {
      const type = command.includes('/api/simulator/fhir') ? 'application/fhir+json' : 'application/json';

      expect(command).toContain(` -H 'content-type: ${type}'`);
    },
  );
});
