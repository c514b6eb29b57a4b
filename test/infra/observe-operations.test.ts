import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROBLEM_CODES } from '../../src/api/overview.js';
import { registerFunctions } from '../../src/functions/register.js';
import { createFakeFunctions } from '../functions/fake-functions.js';
import { composeMemoryApp } from '../functions/memory-app.js';
import type { Module, Resource } from './observe-bicep.js';
import { operations } from './observe-queries.js';
import { isRule, nameOf, readAlerts, readTopicAlerts, ruleOf } from './observe-rules.js';

const source = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => readFileSync(join('src', file), 'utf8'))
  .join('\n');

let modules: Module[];
let rules: Resource[];
beforeAll(async () => {
  modules = [await readAlerts(), await readTopicAlerts()];
  rules = modules.flatMap(({ resources }) => resources.filter(isRule));
});

describe('when docs/operations.md says how to handle an alert', () => {
  const rows = [...operations.matchAll(/^\| (\d|–) \| (\[.*) \|$/gm)].flatMap(([, severity = '', links = '']) =>
    [...links.matchAll(/\[([a-z-]+)\]\(#([a-z-]+)\)/g)].map(([, name = '', anchor]) => ({ severity, name, anchor })),
  );
  const sections = [...operations.matchAll(/^### (.*)$/gm)].map(([, title = '']) => title);

  it('given the alert rules, then each has a section, and each section has a rule', () => {
    expect([...sections].sort()).toEqual([...new Set(rules.map(nameOf))].sort());
  });

  it('given the table of alerts, then it lists every rule with its severity and links to its section', () => {
    const severities = new Map(rules.map((rule) => [nameOf(rule), String(ruleOf(rule).severity ?? '–')]));

    expect(new Map(rows.map(({ name, severity }) => [name, severity]))).toEqual(severities);
    expect(rows.filter(({ name, anchor }) => name !== anchor)).toEqual([]);
  });

  it('given a section, then it says what the alert means, what to check, and how to fix it', () => {
    for (const text of operations.split(/^###? /m).filter((part) => sections.includes(part.split('\n')[0] ?? ''))) {
      expect(text).toMatch(/\*\*What it means\*\*.*\*\*Check\*\*.*\*\*Fix\*\*/s);
    }
  });

  it('given an alert rule, then its description names its section', () => {
    for (const rule of rules) expect(ruleOf(rule).description).toContain(`docs/operations.md, ${nameOf(rule)}.`);
  });

  it('given a parameter that sets a threshold or a switch, then the page names it', () => {
    const names = modules.flatMap(({ parameters }) => [...parameters.keys()].filter((name) => /^max|^are/.test(name)));

    expect(names.length).toBeGreaterThan(8);
    expect(names.filter((name) => !operations.includes(`\`${name}\``))).toEqual([]);
  });

  it('given a function that the page says to disable, then the app registers it', () => {
    const [pause = ''] = /^## Pause$.*?(?=^## )/ms.exec(operations) ?? [];
    const documented = [...pause.matchAll(/disable (`\w+`(?:(?:, | and )`\w+`)*)/g)].flatMap(([, names = '']) =>
      [...names.matchAll(/`(\w+)`/g)].map(([, name = '']) => name),
    );

    expect(documented.length).toBeGreaterThan(3);
    const functions = createFakeFunctions();
    registerFunctions(functions.app, composeMemoryApp().app);
    expect(functions.names()).toEqual(expect.arrayContaining(documented));
  });

  it('given a line of the log whose code a section says to check, then the app logs such lines', () => {
    const [, words = ''] = /export type What =([^;]*);/.exec(source) ?? [];
    const named = [
      ...operations.replaceAll(/\s+/g, ' ').matchAll(/(?:codes?|workflows) (?:of|have) ((?:`[\w-]+`(?:, | and )?)+)/g),
    ].flatMap(([, list = '']) => list.match(/[\w-]{4,}/g) ?? []);

    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((what) => !words.includes(`'${what}'`))).toEqual([]);
  });

  it('given a problem of the overview, then it has the name of an alert, or the page names the alert', () => {
    const named = [...operations.matchAll(/^\| `([a-z-]+)`.* \| \[([a-z-]+)\]/gm)].map(([, code = '', alert = '']) => ({
      code,
      alert,
    }));

    expect(named.filter(({ alert }) => !sections.includes(alert))).toEqual([]);
    expect([...sections, ...named.map(({ code }) => code)]).toEqual(expect.arrayContaining([...PROBLEM_CODES]));
  });

  it('given the parts of storage on the page, then health/ready reports the same names', () => {
    const [, list = ''] = /names the part: (.*?), with a code/.exec(operations) ?? [];
    const parts = [...source.matchAll(/part: '([a-z-]+)'/g)].map(([, part]) => `\`${part}\``);

    expect(list.split(', ').sort()).toEqual(parts.sort());
  });
});
