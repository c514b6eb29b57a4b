// Leaves each rule of the protocol out of the real code, and expects a test to fail.
//   npm run mutations [-- RULE …]
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { mutate } from './mutate.ts';
import { mutations } from './mutations.ts';

const jest = createRequire(import.meta.url)
  .resolve('jest/package.json')
  .replace('package.json', 'bin/jest.js');
const wanted = process.argv.slice(2);
const survivors = [];
for (const mutation of mutations.filter(({ rule }) => wanted.length === 0 || wanted.includes(rule))) {
  mutate(readFileSync(mutation.file, 'utf8'), mutation); // throws if the place is gone
  const startedAt = Date.now();
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    // Without an Azurite: its half of the contracts is left out.
    [jest, '-c', 'test/mutations/jest.config.mjs', '--bail', '-t', '^(?!.*Azurite)', mutation.tests],
    {
      env: { ...process.env, MUTATION: JSON.stringify(mutation), NIGHTS: process.env.NIGHTS ?? '400' },
      encoding: 'utf8',
      timeout: 600_000,
    },
  );
  const isCaught = status !== 0 && /Tests:.*\d+ failed/.test(stderr + stdout);
  if (!isCaught) survivors.push(mutation.rule);
  const wrong = /\+ {3}"(.*?)[:"]/.exec(stderr + stdout)?.[1] ?? '';
  console.log(
    `${isCaught ? 'caught  ' : 'SURVIVED'} ${mutation.rule} (${((Date.now() - startedAt) / 1000).toFixed(0)} s) ${wrong}`,
  );
  if (!isCaught && process.env.VERBOSE) console.log(stderr + stdout);
}
if (survivors.length > 0) {
  console.error(`No test failed without: ${survivors.join(', ')}`);
  process.exitCode = 1;
}
