import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../../clock.js';
import { endOnSignals } from './end-on-signals.js';
import { startHost } from './host.js';
import { parseHostJson } from './host-json.js';
import { createConsoleLog } from './host-log.js';
import { checkAllowedHosts } from './own-pages.js';
import { StartError } from './start-error.js';

/**
 * Runs the host alone: `node dist/local/host/main.js [--port 7071] [--app .] [--main dist/main.js] [--allow-host NAME]
 * [--drain-ms 10000] [--hidden-s 600]`.
 */
const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    app: { type: 'string', default: '.' },
    main: { type: 'string' },
    'allow-host': { type: 'string', multiple: true, default: [] },
    'drain-ms': { type: 'string' },
    'hidden-s': { type: 'string' },
  },
});

try {
  const ended = endOnSignals(systemClock);
  const appRoot = resolve(values.app);
  const settings = parseHostJson(readJson(join(appRoot, 'host.json')));
  const log = createConsoleLog(settings.logLevel, systemClock.now);
  const host = await startHost({
    appRoot,
    main: values.main ?? String(readJson(join(appRoot, 'package.json')).main),
    port: parsePort(values.port ?? process.env.PORT ?? '7071'),
    allowedHosts: checkAllowedHosts(values['allow-host']),
    settings,
    env: process.env,
    clock: systemClock,
    log,
    ...(values['drain-ms'] !== undefined && { drainMs: Number(values['drain-ms']) }),
    ...(values['hidden-s'] !== undefined && { hiddenS: Number(values['hidden-s']) }),
  });
  log('information', `Listening on http://localhost:${host.port} with ${host.functions.join(', ')}`);
  await ended;
  log('information', 'Ending: the host answers open requests, then stops its timers and queues, then the app.');
  await host.close();
  process.exit(0);
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

function readJson(path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** Returns the port in `text`. @throws StartError where `text` is no port. */
function parsePort(text: string): number {
  const port = Number(text);
  if (text !== '' && Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new StartError(`The port is '${text}'; it must be a whole number, 0 to 65535.`);
}
