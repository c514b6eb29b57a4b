import { parseArgs } from 'node:util';
import { systemClock as clock } from '../../clock.js';
import { CHAOS_LEVELS } from '../../simulator/chaos/chaos.js';
import type { RunStatus } from '../../simulator/runs/run.js';
import { scenarios } from '../../simulator/scenarios/index.js';
import { endOnSignals } from '../host/end-on-signals.js';
import { StartError } from '../host/start-error.js';
import { withLocalSettings } from '../local-settings.js';
import { type OwnApp, startAppOfOurOwn } from './app-of-our-own.js';
import { ask, reasonOf } from './ask.js';
import { followRun } from './follow-run.js';
import { createProgress } from './progress.js';
import { RefusedError } from './refused-error.js';
import { sendToTopic } from './send-to-topic.js';
import { describeVerdict } from './verdict-text.js';

const HELP = `npm run simulate [-- options]

Plays a scenario in simulated health data services, lets a simulated Event Grid deliver its events to the app, and
compares what was sent with what the app has in storage. Starts the app and its storage where they do not run.

  --scenario NAME    ${scenarios.map(({ name }) => name).join(', ')}; clinic-day where left out
  --events N         how many events to make; as the scenario has it where left out, 300 to 10,000
  --rate N           events a second; as the scenario has it where left out, 200 to 2,000
  --chaos LEVEL      ${Object.keys(CHAOS_LEVELS).join(', ')}; none where left out
  --seed N           the same seed plays the same; by chance where left out
  --time-scale N     how many times as fast as real time Event Grid waits between its tries;
                     where left out 30 with chaos, 1 without, 1440 for outage
  --no-redrive       of outage: what Event Grid gave up on is left to you, and the run waits until it is taken up
  --url URL          of an app that runs, not http://localhost:7071 or the PORT that is set
  --json             the verdict as JSON
  --list             the scenarios, a line each
  --help             this text

Send to a custom topic of your own in Azure instead, without a verdict, and of chaos the bursts alone:
  --topic-endpoint URL   https://….eventgrid.azure.net/api/events
  --topic-key KEY        its key, or the setting EVENTGRID_TOPIC_KEY; without one, the identity that DefaultAzureCredential finds

Exit code: 0 nothing is lost, 1 something is lost or wrong, 2 an option is wrong, 3 it could not run or was
stopped by somebody else, 130 ended by Ctrl-C.
`;

type Options = ReturnType<typeof parseOptions>;

process.exit(await main());

async function main(): Promise<number> {
  let options: Options;
  try {
    options = parseOptions();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${HELP}`);
    return 2;
  }
  if (options.help) return say(HELP, 0);
  if (options.list) return say(scenarios.map(({ name, summary }) => `${name.padEnd(18)} ${summary}\n`).join(''), 0);
  const interrupt = new AbortController();
  void endOnSignals(clock).then(() => interrupt.abort());
  let own: OwnApp | undefined;
  try {
    if (options['topic-endpoint'] !== undefined)
      return await sendToTopic(options, requestOf(options), { clock, signal: interrupt.signal });
    const url = options.url ?? `http://localhost:${withLocalSettings(process.cwd(), process.env).PORT ?? '7071'}`;
    if (!URL.canParse(url))
      throw new RefusedError(`--url is '${url}', which is no URL: it looks like http://localhost:7071`);
    const isThere = await answers(url);
    if (!isThere && options.url !== undefined) throw new StartError(`Nothing answers on ${url}: start the app there.`);
    if (!isThere) own = await startAppOfOurOwn();
    return await run(own?.url ?? url, options, interrupt.signal);
  } catch (error) {
    if (error instanceof RefusedError) return complain(error.message, 2);
    if (error instanceof StartError) return complain(error.message, interrupt.signal.aborted ? 130 : 3);
    throw error;
  } finally {
    await own?.close();
  }
}

async function run(url: string, options: Options, signal: AbortSignal): Promise<number> {
  const runs = `${url}/api/simulator/runs`;
  const begun = await ask(runs, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(requestOf(options)),
  });
  if (begun.status === 400) throw new RefusedError(await reasonOf(begun));
  if (!begun.ok) throw new StartError(await reasonOf(begun));
  const progress = createProgress(process.stderr, clock.monotonic);
  const status = await followRun((await begun.json()) as RunStatus, {
    runs,
    clock,
    signal,
    show: (shown) => progress.show(shown),
  }).finally(() => progress.end());
  process.stdout.write(options.json ? `${JSON.stringify(status, undefined, 2)}\n` : describeVerdict(status));
  if (signal.aborted) return 130;
  if (!status.verdict) return 3;
  return status.verdict.ok ? 0 : 1;
}

function requestOf({ scenario = 'clinic-day', events, rate, chaos, seed, 'time-scale': timeScale, redrive }: Options) {
  const numbers = Object.entries({ events, rate, seed, timeScale }).flatMap(([name, text]) =>
    text === undefined ? [] : [[name, Number.isFinite(Number(text)) ? Number(text) : text]],
  );
  return {
    scenario,
    ...(chaos !== undefined && { chaos }),
    ...(redrive === false && { redrive }),
    ...Object.fromEntries(numbers),
  };
}

async function answers(url: string): Promise<boolean> {
  let response: Response;
  try {
    response = await fetch(`${url}/api/simulator`);
  } catch {
    return false;
  }
  if (response.ok) return true;
  throw new StartError(
    `What runs on ${url} has no simulator (it answered ${response.status}): set SIMULATOR=on, or give another --url.`,
  );
}

function say(text: string, code: number): number {
  process.stdout.write(text);
  return code;
}

function complain(text: string, code: number): number {
  process.stderr.write(`${text}\n`);
  return code;
}

function parseOptions() {
  return parseArgs({
    allowNegative: true,
    options: {
      scenario: { type: 'string' },
      events: { type: 'string' },
      rate: { type: 'string' },
      chaos: { type: 'string' },
      seed: { type: 'string' },
      'time-scale': { type: 'string' },
      redrive: { type: 'boolean' },
      url: { type: 'string' },
      json: { type: 'boolean' },
      list: { type: 'boolean' },
      help: { type: 'boolean' },
      'topic-endpoint': { type: 'string' },
      'topic-key': { type: 'string' },
    },
  }).values;
}
