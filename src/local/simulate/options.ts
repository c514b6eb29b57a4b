import { parseArgs } from 'node:util';
import { CHAOS_LEVELS } from '../../simulator/chaos/chaos.js';
import type { Problem } from '../../simulator/problems.js';
import { readRunRequest } from '../../simulator/runs/run-request.js';
import { scenarios } from '../../simulator/scenarios/index.js';
import { OptionError, optionErrorOf, parseJsonOption } from '../options.js';

export const HELP = `npm run simulate [-- options]

Plays a scenario in simulated health data services. A simulated Event Grid delivers the events to the app. At the end the
command compares what was sent with what the app has in storage. Starts the app and its storage if they do not run.

  --scenario NAME    ${scenarios.map(({ name }) => name).join(', ')}; clinic-day if left out
  --events N         how many changes, each of which makes an event unless events are off; if left out the scenario
                     decides, 300 to 10,000
  --rate N           events a second; if left out the scenario decides, 200 to 2,000
  --chaos LEVEL      ${Object.keys(CHAOS_LEVELS).join(', ')}; none if left out; lossy loses 5 % of the events; or an
                     object such as '{"duplicates":0.1}': docs/simulator.md lists its properties
  --seed N           the same seed plays the same; random if left out
  --time-scale N     how many times faster than real time Event Grid waits between attempts;
                     if left out 30 with chaos, 1 without, 1440 for outage
  --no-redrive       for outage: you redrive what Event Grid gave up on, and the run waits for that
  --url URL          of an app that runs, if not http://localhost:7071 or the PORT that is set
  --json             the verdict as JSON
  --list             the scenarios, a line each
  --help             this text

To send to a custom topic of your own in Azure instead, without a verdict; of --chaos only the bursts apply:
  --topic-endpoint URL   https://….eventgrid.azure.net/api/events
  --topic-key KEY        its key, or the setting EVENTGRID_TOPIC_KEY; without one, the identity that DefaultAzureCredential finds

Events that chaos loses, and changes made while events are off (silent-hour), are counted as never delivered, with how
many of them reconciliation has found. They do not change the exit code.

Exit code: 0 nothing that was delivered is lost, 1 something is lost or wrong, 2 an option is wrong, 3 the run could not
start or was stopped by somebody else, 130 ended by Ctrl-C.
`;

const TEXT = { type: 'string' } as const;
const FLAG = { type: 'boolean' } as const;
/** The options that are properties of a run's request. */
const RUN_OPTIONS = { scenario: TEXT, events: TEXT, rate: TEXT, chaos: TEXT, seed: TEXT, 'time-scale': TEXT };
const TOPIC_OPTIONS = { 'topic-endpoint': TEXT, 'topic-key': TEXT };
const OPTIONS = { ...RUN_OPTIONS, ...TOPIC_OPTIONS, redrive: FLAG, url: TEXT, json: FLAG, list: FLAG, help: FLAG };

/** The options as given. Numbers are still texts. */
export type Options = ReturnType<typeof parseOptions>;

/** Returns the options as given. @throws OptionError where an option is unknown, or has no value */
export function parseOptions(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], allowNegative: true, options: OPTIONS }).values;
  } catch (error) {
    throw optionErrorOf(error as Error, Object.keys(OPTIONS));
  }
}

/** Returns the request for a run. @throws OptionError where the app would refuse the request */
export function requestOf(options: Options): Record<string, unknown> {
  const { scenario = 'clinic-day', events, rate, chaos, seed, 'time-scale': timeScale, redrive } = options;
  const numbers = Object.entries({ events, rate, seed, timeScale }).flatMap(([name, text]) =>
    text === undefined ? [] : [[name, text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text]],
  );
  const request = {
    scenario,
    ...(chaos !== undefined && {
      chaos: chaos.startsWith('{') ? parseJsonOption(chaos, `--chaos is '${chaos}', which is`) : chaos,
    }),
    ...(redrive === false && { redrive }),
    ...Object.fromEntries(numbers),
  };
  const read = readRunRequest(request, 0);
  if (read.kind === 'wrong') throw new OptionError(textOfProblems(read.problems, options));
  return request;
}

/** Returns the problems of a request as one text, each with its option and the value that was typed. */
export function textOfProblems(problems: readonly Problem[], options: Options): string {
  const texts = problems.map(({ path, message }) => {
    const [first = '', ...inner] = path.split('.');
    const option = first === 'timeScale' ? 'time-scale' : first;
    if (!Object.hasOwn(RUN_OPTIONS, option)) return `${path} ${message}`;
    const typed = options[option as keyof typeof RUN_OPTIONS] ?? '';
    const isAt = inner.length > 0 ? `has ${inner.join('.')}, which` : `is '${typed}',`;
    return `--${option} ${isAt} ${message}`;
  });
  return `${texts.join('; ')}.`;
}
