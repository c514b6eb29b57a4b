import { didYouMean, nearest } from '../../nearest.js';
import { HELP_HAS_THE_REST } from '../options.js';
import { print, printError } from '../output.js';
import { type Running, runCommand } from '../run-command.js';
import { discard, redrive } from './change.js';
import { connect } from './connect.js';
import { HELP, VERB_HELP, VERBS, type Verb } from './help.js';
import { list } from './list.js';
import { parseOptions } from './options.js';
import { exportAll, show } from './show.js';

/** Ctrl-C ends these verbs at once, because they change nothing. The others first finish the requests under way. */
const READ_ONLY: readonly string[] = ['list', 'show', 'export'] satisfies Verb[];
const VERB_FUNCTIONS = { list, show, redrive, discard, export: exportAll };

const [verb = '', ...args] = process.argv.slice(2);
await runCommand((running) => main(verb, running));

async function main(verb: string, { signal, output, atEnd }: Running): Promise<number> {
  if (verb === '--help' || verb === 'help') return print(HELP);
  if (verb === '') return printError(HELP, 2);
  if (!isVerb(verb)) {
    const hint = didYouMean(nearest(verb, VERBS));
    return printError(`'${verb}' is not a verb, must be one of ${VERBS.join(', ')}.${hint} ${HELP_HAS_THE_REST}\n`, 2);
  }
  if (READ_ONLY.includes(verb)) signal.addEventListener('abort', () => process.exit(130));
  const parsed = { ...parseOptions(verb, args), signal };
  if (parsed.values.help) return print(VERB_HELP[verb]);
  const open = async () => {
    const { source, close } = await connect(parsed.values);
    atEnd(close);
    return source;
  };
  return VERB_FUNCTIONS[verb](parsed, open, output);
}

function isVerb(name: string): name is Verb {
  return (VERBS as readonly string[]).includes(name);
}
