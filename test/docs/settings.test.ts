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
  it('given the settings of the app, then the page lists exactly these', () => {
    expect(rows.flatMap(({ names }) => names).sort()).toEqual([...SETTING_NAMES].sort());
  });

  it('given the settings that the source reads, then SETTING_NAMES and HOST_SETTING_NAMES list exactly these', () => {
    const inCalls = [...source.matchAll(/\b(?:settings\.\w+|setting)\(\s*'(\w+)'/g)].map(([, name = '']) => name);
    const inConstants = [...source.matchAll(/^const NAME = '([A-Z_]+)';$/gm)].map(([, name = '']) => name);

    expect([...new Set([...inCalls, ...inConstants])].sort()).toEqual([...SETTING_NAMES, ...HOST_SETTING_NAMES].sort());
  });

  it('given a setting with bounds, then the page states the bounds and the default of the code', () => {
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
