import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const page = readFileSync('docs/settings.md', 'utf8');
const rows = [...page.matchAll(/^\| (`[^|]*) \| ([^|]*) \| (.*) \|$/gm)].map(([, names = '', , text = '']) => ({
  names: [...names.matchAll(/`(\w+)`/g)].map(([, name = '']) => name),
  text,
}));
const source = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.startsWith('local'))
  .map((file) => readFileSync(join('src', file), 'utf8'))
  .join('\n');
/** The host's own, and what the page tells of under another name. */
const NOT_OURS = ['AZURE_FUNCTIONS_ENVIRONMENT', 'AzureWebJobsStorage', 'WEBSITE_AUTH_ENABLED', 'WEBSITE_SITE_NAME'];

describe('when docs/settings.md lists the settings', () => {
  it('given what the app reads, then it lists that, and nothing else', () => {
    const asked = [...source.matchAll(/\b(?:settings\.\w+|setting)\(\s*'(\w+)'/g)].map(([, name = '']) => name);
    const named = [...source.matchAll(/^const NAME = '([A-Z_]+)';$/gm)].map(([, name = '']) => name);
    const read = new Set([...asked, ...named].filter((name) => !NOT_OURS.includes(name)));

    expect(rows.flatMap(({ names }) => names).sort()).toEqual([...read].sort());
  });

  it('given the bounds of a number, then they are those of the code', () => {
    const bounded =
      /wholeNumber\('(\w+)', \{ from: (?:isLocal \? (\d+) : )?([\d_]+), to: ([\d_]+), otherwise: ([\d_]+) \}/g;
    const found = [...source.matchAll(bounded)];

    expect(found.length).toBeGreaterThanOrEqual(4);
    for (const [, name = '', local, from = '', to = '', otherwise] of found) {
      if (name === 'PORT') continue;
      const row = rows.find(({ names }) => names.includes(name));
      expect(row?.text).toContain(`${from} to ${to}`);
      if (local) expect(row?.text).toContain(`locally from ${local}`);
      expect(page).toContain(`| \`${name}\` | ${otherwise} |`);
    }
  });
});
