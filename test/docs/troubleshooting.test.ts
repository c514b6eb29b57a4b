import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const pages = ['docs/troubleshooting.md', 'docs/operations.md'].map((page) => readFileSync(page, 'utf8')).join('\n');
const page = readFileSync('docs/troubleshooting.md', 'utf8');
const source = sourceIn('src');
const everything = `${source}${readFileSync('src/local/setup.mjs', 'utf8')}`;
/** The first two arguments of a call of `log`, with the level as a word or as a choice of words. */
const LOG = /\.log\(\s*([^,()]*['"](?:error|warn)['"][^,()]*),\s*([^,]*),/g;
/** `info` too: a level that is chosen at run time goes with a code that is chosen so. */
const codes = new Set(
  [...source.matchAll(LOG)].flatMap(([, , what = '']) =>
    [...what.matchAll(/'([\w-]+)'/g)].map(([, code = '']) => code),
  ),
);

describe('when somebody looks for a line of the log', () => {
  it('given the source, then the search finds the codes of warnings and errors', () => {
    expect([...codes]).toEqual(
      expect.arrayContaining(['event-invalid', 'job-retries', 'circuit-opened', 'task-failed']),
    );
    expect(codes.size).toBeGreaterThan(18);
  });

  it.each([...codes].filter((code) => code !== 'job-waits'))('given %s, then a page explains it', (code) => {
    expect(pages.includes(`\`${code}\``)).toBe(true);
  });

  it('given a call of log whose level is no word, then it is one that the pages know', () => {
    const calls = [...source.matchAll(/telemetry\.log\(\s*([a-z]\w*),\s*([^,]*),/g)].map(([, , what]) => what);

    expect(calls).toEqual(["'workflow'"]);
    expect(pages).toContain('| `workflow` |');
  });

  it('given a code that the page lists, then the app can log it', () => {
    const [, section = ''] = /^## A line in the log\n([\s\S]*?)^## /m.exec(pages) ?? [];
    const listed = [...section.matchAll(/^\| ((?:`[\w-]+`(?:, )?)+) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`([\w-]+)`/g)].map(([, code = '']) => code),
    );

    expect(listed.length).toBeGreaterThan(18);
    expect(listed.filter((code) => code !== 'what' && !source.includes(`'${code}'`))).toEqual([]);
  });
});

describe('when somebody looks for a message', () => {
  const messages = ['npm start does not start', 'A command refuses'].flatMap((heading) => {
    const [, section = ''] = new RegExp(`^## ${heading}\\n([\\s\\S]*?)^## `, 'm').exec(page) ?? [];
    const cells = [...section.matchAll(/^\| (.*?) \|/gm)].map(([, cell = '']) => cell);
    return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, message = '']) => message));
  });

  it('given the page, then it has messages', () => {
    expect(messages.length).toBeGreaterThan(25);
  });

  it.each(messages)('given `%s`, then the source has its words', (message) => {
    const words = message.split('…').map((part) => part.trim());

    for (const part of words.filter(({ length }) => length > 5)) {
      expect({ part, isInSource: everything.includes(part) }).toEqual({ part, isInSource: true });
    }
  });
});

function sourceIn(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n');
}
