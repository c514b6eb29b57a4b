import { systemClock as clock } from '../../clock.js';
import { readApp } from '../app-client.js';
import { endOnSignals } from '../host/end-on-signals.js';
import { withLocalSettings } from '../local-settings.js';
import { print } from '../print.js';
import { printFailure } from '../print-failure.js';
import { type Connected, connect } from './connect.js';
import { HELP } from './help.js';
import { parseOptions, readOptions, readRemovedOptions } from './options.js';
import { run } from './run.js';
import { runFindRemoved } from './run-find-removed.js';
import { runOverHttp } from './run-over-http.js';

process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 3));
process.exit(await main(process.argv.slice(2)));

async function main(args: readonly string[]): Promise<number> {
  const interrupt = new AbortController();
  const { signal } = interrupt;
  void endOnSignals(clock).then(() => interrupt.abort());
  let connected: Connected | undefined;
  try {
    const values = parseOptions(args);
    if (values.help) return print(HELP);
    const output = { out: process.stdout, err: process.stderr };
    const client = readApp(values, { env: withLocalSettings(process.cwd(), process.env) });
    if (client) return await runOverHttp(values, { client, clock, signal }, output);
    if (values['find-removed']) {
      const removed = readRemovedOptions(values);
      connected = await connect(values);
      return await runFindRemoved(removed, { ...connected, signal }, output);
    }
    const asked = readOptions(values, clock.now());
    connected = await connect(values);
    return await run(asked, { ...connected, signal }, output);
  } catch (error) {
    return printFailure(error);
  } finally {
    await connected?.close();
  }
}
