import { systemClock as clock } from '../../clock.js';
import { didYouMean, nearest } from '../../nearest.js';
import { endOnSignals } from '../host/end-on-signals.js';
import { HELP_HAS_THE_REST } from '../option-error.js';
import { print, printError } from '../print.js';
import { printFailure } from '../print-failure.js';
import { discard, redrive } from './change.js';
import { type Connected, connect } from './connect.js';
import { HELP, VERB_HELP, VERBS, type Verb } from './help.js';
import { list } from './list.js';
import { parseOptions } from './options.js';
import { exportAll, show } from './show.js';

/** Ctrl-C ends these verbs at once, because they change nothing. The others first finish what they have begun. */
const READ_ONLY: readonly string[] = ['list', 'show', 'export'] satisfies Verb[];
/** A verb's function returns the exit code. */
const RUNS = { list, show, redrive, discard, export: exportAll };

// A reader that wants only the beginning of a list, such as head, closes the pipe.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 3));
process.exit(await main(process.argv.slice(2)));

async function main([verb = '', ...args]: readonly string[]): Promise<number> {
  if (verb === '--help' || verb === 'help') return print(HELP);
  if (verb === '') return printError(HELP, 2);
  if (!(VERBS as readonly string[]).includes(verb)) {
    const hint = didYouMean(nearest(verb, VERBS));
    return printError(`'${verb}' is not a verb, must be one of ${VERBS.join(', ')}.${hint} ${HELP_HAS_THE_REST}\n`, 2);
  }
  const interrupt = new AbortController();
  void endOnSignals(clock).then(() => (READ_ONLY.includes(verb) ? process.exit(130) : interrupt.abort()));
  let connected: Connected | undefined;
  try {
    const asked = { ...parseOptions(verb as Verb, args), signal: interrupt.signal };
    if (asked.values.help) return print(VERB_HELP[verb as Verb]);
    const open = async () => {
      connected = await connect(asked.values);
      return connected.source;
    };
    return await RUNS[verb as Verb](asked, open, { out: process.stdout, err: process.stderr });
  } catch (error) {
    return printFailure(error);
  } finally {
    await connected?.close();
  }
}
