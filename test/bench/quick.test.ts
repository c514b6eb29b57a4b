import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

type Told = { figures: { section: string; what: string; result?: number; aim?: object }[] };

it('given --quick, then every section measures something, and what is counted is within its aim', async () => {
  await run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'bench/tsconfig.json']);

  const { stdout } = await run(process.execPath, ['.local/bench/bench/main.js', '--quick', '--json']);

  const { figures } = JSON.parse(stdout) as Told;
  const measured = (section: string) => figures.filter((figure) => figure.section === section && figure.aim);
  for (const section of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) expect(measured(section)).not.toEqual([]);
  for (const { result } of figures.filter(({ aim }) => aim)) expect(result).toBeGreaterThan(0);
  // Times say little here; entities are counted. The last are those of one POST at a time: many at a time may meet their
  // deadline on a slow machine, and write rows.
  expect(figures.findLast(({ what }) => what.trim() === 'entities an event')?.result).toBeLessThanOrEqual(2);
});
