import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

type Output = { figures: { section: string; what: string; result?: number; aim?: object }[] };

it('given --quick, then every section reports a result, and the counted entities are within their aim', async () => {
  await run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'bench/tsconfig.json']);

  const { stdout } = await run(process.execPath, ['.local/bench/bench/main.js', '--quick', '--json']);

  const { figures } = JSON.parse(stdout) as Output;
  const measured = (section: string) =>
    figures.filter(({ section: of, result }) => of === section && result !== undefined);
  for (const section of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l'])
    expect(measured(section)).not.toEqual([]);
  for (const { result } of figures.filter(({ aim }) => aim)) expect(result).toBeGreaterThan(0);
  // Times mean little in a quick run, so the test checks only the count of entities. The last count is from one POST at
  // a time: with many POSTs at a time, jobs on a slow machine may miss their deadline and write rows.
  expect(figures.findLast(({ what }) => what.trim() === 'entities an event')?.result).toBeLessThanOrEqual(3);
});
