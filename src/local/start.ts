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
import { provideStorage } from './provide-storage.js';
import { endWith, readLocalApp } from './read-local-app.js';
import { whatNext } from './what-next.js';

const HELP = `npm start [-- --no-demo] [-- --port N] [-- --allow-host NAME]

Starts Azurite where no storage is named, the app on http://localhost:7071, and a demonstration. Ctrl-C ends all of it.

  --no-demo   leave the demonstration out
  --port N    another port than 7071, or that of the setting PORT; 0 for any that is free
  --allow-host NAME
              another name than localhost by which requests and pages may reach the app, where a proxy or tunnel stands
              before it; several times for several
  --help      this text

Settings come from the environment, then from local.settings.json (see local.settings.sample.json).
`;

/** `npm start`, once everything is installed and built (setup.mjs). */
try {
  await start();
} catch (error) {
  endWith(error);
}

async function start(): Promise<void> {
  const options = parseOptions();
  if (options.help) return void process.stdout.write(HELP);
  const ended = endOnSignals(clock);
  const appRoot = process.cwd();
  const settings = parseHostJson(JSON.parse(readFileSync(join(appRoot, 'host.json'), 'utf8')));
  const log = createConsoleLog(settings.logLevel, clock.now);

  const given = { ...process.env, ...(options.port !== undefined && { PORT: options.port }) };
  const { env, config, isNamed } = await readLocalApp(appRoot, given);
  const azurite = await provideStorage(appRoot, isNamed ? config.storage : undefined, clock);
  if (azurite) env[config.storageConnection] = azurite.connectionString;
  Object.assign(process.env, env); // The app reads it when it is loaded.

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
    const shown = options.demo && config.simulator ? demonstrate({ url, config: readConfig(env), clock }) : undefined;
    const told = Promise.resolve(shown).then(() => process.stdout.write(whatNext(url, config)));
    await Promise.race([ended, told]);
    await ended;
    process.stdout.write('Ending: open requests are answered, then the app stops. Ctrl-C again ends at once.\n');
    await host.close();
  } finally {
    await azurite?.release();
  }
  process.exit(0);
}

function parseOptions(): { help: boolean; demo: boolean; port: string | undefined; allowedHosts: readonly string[] } {
  try {
    const { values } = parseArgs({
      options: {
        help: { type: 'boolean', default: false },
        demo: { type: 'boolean', default: true },
        port: { type: 'string' },
        'allow-host': { type: 'string', multiple: true, default: [] },
      },
      allowNegative: true,
    });
    return { ...values, port: values.port, allowedHosts: checkAllowedHosts(values['allow-host']) };
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(`${(error as Error).message}\n\n${HELP}`);
  }
}
