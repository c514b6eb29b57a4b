// Leaves each rule of the protocol out of the real code, and sees that a test goes red.
//   npm run mutations [-- RULE …]
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { mutations } from './mutations.ts';

const jest = createRequire(import.meta.url)
  .resolve('jest/package.json')
  .replace('package.json', 'bin/jest.js');
const wanted = process.argv.slice(2);
const survivors = [];
for (const mutation of mutations.filter(({ rule }) => wanted.length === 0 || wanted.includes(rule))) {
  const startedAt = Date.now();
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    // Without an Azurite: its half of the contracts is left out.
    [jest, '-c', 'test/mutations/jest.config.mjs', '--bail', '-t', '^(?!.*Azurite)', mutation.tests],
    {
      env: { ...process.env, MUTATION_PATCH: JSON.stringify(mutation), NIGHTS: process.env.NIGHTS ?? '400' },
      encoding: 'utf8',
      timeout: 600_000,
    },
  );
  const hasPlace = !stderr.includes('its place in');
  const isCaught = status !== 0 && hasPlace && /Tests:.*\d+ failed/.test(stderr + stdout);
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
