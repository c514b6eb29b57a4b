// Leaves each rule of the protocol out of the real code, and expects a test to fail.
//   npm run mutations [-- INVARIANT or RULE …], such as J2 or noFence
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';
import { mutate } from './mutate.ts';
import { mutations } from './mutations.ts';

const jest = createRequire(import.meta.url)
  .resolve('jest/package.json')
  .replace('package.json', 'bin/jest.js');
let child;
process.once('SIGINT', () => process.exit(130));
process.on('exit', endChild);

const wanted = process.argv.slice(2);
const survivors = [];
const isWanted = ({ rule }) => wanted.length === 0 || rule.split(' ').some((word) => wanted.includes(word));
for (const mutation of mutations.filter(isWanted)) {
  mutate(readFileSync(mutation.file, 'utf8'), mutation); // throws if the place is gone
  const startedAt = Date.now();
  const { status, output } = await runTests(mutation);
  const isCaught = status !== 0 && /Tests:.*\d+ failed/.test(output);
  if (!isCaught) survivors.push(mutation.rule);
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(0);
  const wrong = /\+ {3}"(.*?)[:"]/.exec(output)?.[1] ?? '';
  console.log(`${isCaught ? 'caught  ' : 'SURVIVED'} ${mutation.rule} (${seconds} s) ${wrong}`);
  if (!isCaught && process.env.VERBOSE) console.log(output);
}
if (survivors.length > 0) {
  console.error(`No test failed without: ${survivors.join(', ')}`);
  process.exitCode = 1;
}

async function runTests(mutation) {
  // The contracts run on memory only, because no Azurite is started.
  const args = ['-c', 'test/mutations/jest.config.mjs', '--bail', '-t', '^(?!.*Azurite)', mutation.tests];
  const env = { ...process.env, MUTATION: JSON.stringify(mutation), NIGHTS: process.env.NIGHTS ?? '400' };
  child = spawn(process.execPath, [jest, ...args], { env, detached: true, timeout: 600_000 });
  const outputs = Promise.all([text(child.stdout), text(child.stderr)]);
  const [status] = await once(child, 'exit');
  endChild();
  return { status, output: (await outputs).join('') };
}

/** Ends the workers of jest, which run their tests to the end even after --bail has ended jest. */
function endChild() {
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The workers have ended.
  }
}
