import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The setting ALERT_RULES for a file of these rules, which is there while the tests of a file run. */
export function rulesFile(rules: object): string {
  const folder = mkdtempSync(join(tmpdir(), 'rules-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'rules.json');
  writeFileSync(path, JSON.stringify(rules));
  return path;
}
