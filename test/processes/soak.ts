import { randomInt } from 'node:crypto';
import { numberOf, OptionError, parseValues, textOf } from '../../src/local/options.js';
import { print, printOptionError } from '../../src/local/output.js';
import startAzurite from '../azurite/start.js';
import stopAzurite from '../azurite/stop.js';
import { type Night, spendNight } from './night.js';

const HELP = `npm run soak [-- --minutes 10] [-- --hosts 3] [-- --seed N] [-- --ingress queue]

Hosts over one Azurite, killed and started again; storage that stands still or refuses connections; clients that deliver
until they are acknowledged, or with --ingress queue, put each event into the queue. Ends by itself, with 1 if anything
was lost or ran after it had completed, with 2 if an option is wrong.
`;

const TEXT = { type: 'string' } as const;
const OPTIONS = { minutes: TEXT, hosts: TEXT, seed: TEXT, ingress: TEXT, help: { type: 'boolean' } } as const;

try {
  const { values } = parseValues(process.argv.slice(2), OPTIONS);
  const ingress = textOf(values, 'ingress') ?? 'webhook';
  if (ingress !== 'webhook' && ingress !== 'queue')
    throw new OptionError(`--ingress is '${ingress}', must be webhook or queue.`);
  const minutes = numberOf(values, 'minutes', { from: 0.1, to: 1440 }) ?? 10;
  const hosts = numberOf(values, 'hosts', { from: 1, to: 20 }) ?? 3;
  const seed = numberOf(values, 'seed', { from: 0, to: 2 ** 32 }) ?? randomInt(2 ** 31);
  if (values.help) print(HELP);
  else await soak({ seed, ms: minutes * 60_000, hosts, ingress });
} catch (error) {
  if (!(error instanceof OptionError)) throw error;
  process.exitCode = printOptionError(error);
}

async function soak(options: Omit<Night, 'storage' | 'say'>): Promise<void> {
  const say = (line: string) => print(`${line}\n`);
  say(`seed ${options.seed}, ${options.ms / 60_000} minutes, ${options.hosts} hosts, ${options.ingress}`);
  await startAzurite({ rootDir: process.cwd() });
  const storage = { connectionString: process.env.TEST_STORAGE ?? '', pid: Number(process.env.TEST_AZURITE_PID) };
  const report = await spendNight({ ...options, storage, say }).finally(stopAzurite);
  for (const wrong of report.wrongs) say(`WRONG ${wrong}`);
  say(JSON.stringify({ ...report, wrongs: report.wrongs.length }));
  process.exit(report.wrongs.length === 0 ? 0 : 1);
}
