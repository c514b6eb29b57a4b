import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { systemClock as clock } from '../clock.js';
import { readConfig } from '../config.js';
import { demonstrate } from './demonstration.js';
import { endOnSignals } from './host/end-on-signals.js';
import { startHost } from './host/host.js';
import { parseHostJson } from './host/host-json.js';
import { createConsoleLog } from './host/host-log.js';
import { checkAllowedHosts } from './host/own-pages.js';
import { StartError } from './host/start-error.js';
import { endWith, openLocalApp } from './open-local-app.js';
import { optionErrorOf } from './options.js';
import { whatNext } from './what-next.js';

const HELP = `npm start [-- --no-demo] [-- --watch] [-- --port N] [-- --allow-host NAME]

Starts Azurite where no storage is named, the app on http://localhost:7071, and a demonstration. Ctrl-C ends everything.

  --no-demo   leave the demonstration out
  --no-hints  leave out the list of what to try next
  --watch     build and restart the app when a file in src, host.json or local.settings.json changes; Azurite runs on,
              the simulator starts empty, and there is no demonstration
  --port N    the port, instead of the setting PORT or 7071; 0 for any free port
  --allow-host NAME
              a host name that requests and pages may use beside localhost, for a proxy or tunnel before the app; can be
              given several times
  --help      show this text

Exit code: 1 the app cannot start, 2 an option is wrong.

Settings come from the environment, then from local.settings.json (see local.settings.sample.json).
`;

const OPTIONS = {
  help: { type: 'boolean', default: false },
  demo: { type: 'boolean', default: true },
  hints: { type: 'boolean', default: true },
  watch: { type: 'boolean', default: false },
  port: { type: 'string' },
  'allow-host': { type: 'string', multiple: true },
} as const;
const NAMES = ['help', 'no-demo', 'no-hints', 'watch', 'port', 'allow-host'];

/** `npm start`, after setup.mjs has installed and built everything. */
try {
  await start();
} catch (error) {
  endWith(error);
}

async function start(): Promise<void> {
  const options = parseOptions();
  if (options.help) return void process.stdout.write(HELP);
  const ended = endOnSignals(clock);
  if (options.watch) await watch(ended);
  else await run(options, ended);
  process.exit(0);
}

/** Imports the code of --watch only here, because it loads esbuild. */
async function watch(ended: Promise<void>): Promise<void> {
  const { watchApp } = await import('./watch/watch-app.js');
  const args = process.argv.slice(2).filter((arg) => arg !== '--watch');
  await watchApp({ args: [...args, '--no-demo'], clock, ended });
}

async function run(options: Options, ended: Promise<void>): Promise<void> {
  const appRoot = process.cwd();
  const settings = parseHostJson(JSON.parse(readFileSync(join(appRoot, 'host.json'), 'utf8')));
  const log = createConsoleLog(settings.logLevel, clock.now);

  const given = { ...process.env, ...(options.port !== undefined && { PORT: options.port }) };
  const { env, config, azurite } = await openLocalApp(appRoot, given, clock);
  Object.assign(process.env, env); // the app reads its settings when it is loaded

  try {
    const main = import.meta.resolve(options.demo ? './demo-main.js' : '../main.js');
    const host = await startHost({
      appRoot,
      main: relative(appRoot, fileURLToPath(main)),
      port: config.port,
      allowedHosts: options.allowedHosts,
      settings,
      env,
      clock,
      log,
    });
    const url = `http://localhost:${host.port}`;
    log('information', `Listening on ${url} with ${host.functions.join(', ')}`);
    const isShown = options.demo && config.simulator;
    if (isShown) process.stdout.write(`\nWatch the demonstration in a browser, too: ${url}/\n`);
    const shown = isShown ? demonstrate({ url, config: readConfig(env), clock }) : undefined;
    process.send?.('serving'); // --watch waits for this message; setup.mjs ignores it
    const hints = options.hints ? whatNext(url, config) : `Serving on ${url}. Ctrl-C ends it.\n`;
    const greeted = Promise.resolve(shown).then(() => process.stdout.write(hints));
    await Promise.race([ended, greeted]);
    await ended;
    process.stdout.write('Ending: open requests are answered, then the app stops. Ctrl-C again ends at once.\n');
    await host.close();
  } finally {
    await azurite?.release();
  }
}

type Options = ReturnType<typeof parseOptions>;

function parseOptions() {
  try {
    const { values } = parseArgs({ options: OPTIONS, allowNegative: true });
    return { ...values, allowedHosts: checkAllowedHosts(values['allow-host'] ?? []) };
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw optionErrorOf(error as Error, NAMES);
  }
}
