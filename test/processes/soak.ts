import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import startAzurite from '../azurite/start.js';
import stopAzurite from '../azurite/stop.js';
import { spendNight } from './night.js';

const HELP = `npm run soak [-- --minutes 10] [-- --hosts 3] [-- --seed N] [-- --ingress queue]

Hosts over one Azurite, killed and started again; storage that stands still or refuses connections; clients that deliver
until they are acknowledged, or with --ingress queue, put each event into the queue. Ends by itself, with 1 if anything was lost or ran after it had completed.
`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    hosts: { type: 'string', default: '3' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    ingress: { type: 'string', default: 'webhook' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) process.stdout.write(HELP);
else await soak();

async function soak(): Promise<void> {
  const say = (line: string) => process.stdout.write(`${line}\n`);
  say(`seed ${values.seed}, ${values.minutes} minutes, ${values.hosts} hosts, ${values.ingress}`);
  await startAzurite({ rootDir: process.cwd() });
  const storage = { connectionString: process.env.TEST_STORAGE ?? '', pid: Number(process.env.TEST_AZURITE_PID) };
  const report = await spendNight({
    seed: Number(values.seed),
    ms: Number(values.minutes) * 60_000,
    hosts: Number(values.hosts),
    ingress: values.ingress === 'queue' ? 'queue' : 'webhook',
    storage,
    say,
  }).finally(stopAzurite);
  for (const wrong of report.wrongs) say(`WRONG ${wrong}`);
  say(JSON.stringify({ ...report, wrongs: report.wrongs.length }));
  process.exit(report.wrongs.length === 0 ? 0 : 1);
}
