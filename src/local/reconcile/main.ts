import { systemClock as clock } from '../../clock.js';
import { readApp } from '../app-client.js';
import { withLocalSettings } from '../local-settings.js';
import { print } from '../output.js';
import { type Running, runCommand } from '../run-command.js';
import { connect } from './connect.js';
import { HELP } from './help.js';
import { parseOptions, readHistoryOptions, readRemovedOptions } from './options.js';
import { compareHistory, findRemovedResources } from './run.js';
import { runOverHttp } from './run-over-http.js';

await runCommand(main);

async function main({ signal, output, atEnd }: Running): Promise<number> {
  const values = parseOptions(process.argv.slice(2));
  if (values.help) return print(HELP);
  const client = readApp(values, { env: withLocalSettings(process.cwd(), process.env) });
  if (client) return runOverHttp(values, { client, clock, signal }, output);
  const open = async () => {
    const connected = await connect(values);
    atEnd(connected.close);
    return { ...connected, signal };
  };
  if (values['find-removed']) return findRemovedResources(readRemovedOptions(values), await open(), output);
  return compareHistory(readHistoryOptions(values, clock.now()), await open(), output);
}
