import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HOST_SETTING_NAMES, SETTING_NAMES } from '../../src/setting-names.js';

const page = readFileSync('docs/settings.md', 'utf8');
const rows = [...page.matchAll(/^\| (`[^|]*) \| ([^|]*) \| (.*) \|$/gm)].map(([, names = '', , text = '']) => ({
  names: [...names.matchAll(/`(\w+)`/g)].map(([, name = '']) => name),
  text,
}));
const source = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.startsWith('local'))
  .map((file) => readFileSync(join('src', file), 'utf8'))
  .join('\n');

describe('when docs/settings.md lists the settings', () => {
  it('given the names that the app knows, then it lists those, and nothing else', () => {
    expect(rows.flatMap(({ names }) => names).sort()).toEqual([...SETTING_NAMES].sort());
  });

  it('given what the source reads, then that is what the app knows', () => {
    const asked = [...source.matchAll(/\b(?:settings\.\w+|setting)\(\s*'(\w+)'/g)].map(([, name = '']) => name);
    const named = [...source.matchAll(/^const NAME = '([A-Z_]+)';$/gm)].map(([, name = '']) => name);

    expect([...new Set([...asked, ...named])].sort()).toEqual([...SETTING_NAMES, ...HOST_SETTING_NAMES].sort());
  });

  it('given the bounds of a number, then they are those of the code', () => {
    const bounded =
      /wholeNumber\('(\w+)', \{ from: (?:isLocal \? (\d+) : )?([\d_]+), to: ([\d_]+), fallback: ([\d_]+) \}/g;
    const found = [...source.matchAll(bounded)];

    expect(found.length).toBeGreaterThanOrEqual(4);
    for (const [, name = '', local, from = '', to = '', fallback] of found) {
      if (name === 'PORT') continue;
      const row = rows.find(({ names }) => names.includes(name));
      expect(row?.text).toContain(`${from} to ${to}`);
      if (local) expect(row?.text).toContain(`locally from ${local}`);
      expect(page).toContain(`| \`${name}\` | ${fallback} |`);
    }
  });
});
