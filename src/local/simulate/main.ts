import { systemClock as clock } from '../../clock.js';
import type { RunStatus } from '../../simulator/runs/run.js';
import { scenarios } from '../../simulator/scenarios/index.js';
import { endOnSignals } from '../host/end-on-signals.js';
import { StartError } from '../host/start-error.js';
import { withLocalSettings } from '../local-settings.js';
import { OptionError } from '../option-error.js';
import { print, printError, printOptionError } from '../print.js';
import { createProgress } from '../progress.js';
import { type OwnApp, startAppOfOurOwn } from './app-of-our-own.js';
import { ask, reasonOf } from './ask.js';
import { followRun } from './follow-run.js';
import { HELP, type Options, parseOptions, requestOf, textOfProblems } from './options.js';
import { sendToTopic } from './send-to-topic.js';
import { describeProgress, describeVerdict } from './verdict-text.js';

process.exit(await main());

async function main(): Promise<number> {
  const interrupt = new AbortController();
  void endOnSignals(clock).then(() => interrupt.abort());
  let own: OwnApp | undefined;
  try {
    const options = parseOptions(process.argv.slice(2));
    if (options.help) return print(HELP);
    if (options.list) return print(scenarios.map(({ name, summary }) => `${name.padEnd(18)} ${summary}\n`).join(''));
    const request = requestOf(options);
    if (options['topic-endpoint'] !== undefined)
      return await sendToTopic(options, request, { clock, signal: interrupt.signal });
    const url = options.url ?? `http://localhost:${withLocalSettings(process.cwd(), process.env).PORT ?? '7071'}`;
    if (!URL.canParse(url)) throw new OptionError(`--url is '${url}', must be a URL such as http://localhost:7071.`);
    const isThere = await answers(url);
    if (!isThere && options.url !== undefined) throw new StartError(`Nothing answers on ${url}: start the app there.`);
    if (!isThere) own = await startAppOfOurOwn();
    return await run({ url: own?.url ?? url, request, options }, interrupt.signal);
  } catch (error) {
    if (error instanceof OptionError) return printOptionError(error);
    if (error instanceof StartError) return printError(`${error.message}\n`, interrupt.signal.aborted ? 130 : 3);
    throw error;
  } finally {
    await own?.close();
  }
}

async function run(
  { url, request, options }: { url: string; request: object; options: Options },
  signal: AbortSignal,
): Promise<number> {
  const runs = `${url}/api/simulator/runs`;
  const begun = await ask(runs, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
  });
  if (!begun.ok) {
    const { reason, details } = await reasonOf(begun);
    if (begun.status !== 400) throw new StartError(reason);
    // An app of another release can refuse a request that this release accepts.
    throw new OptionError(details ? textOfProblems(details, options) : reason);
  }
  const progress = createProgress(process.stderr, {
    now: clock.monotonic,
    describe: describeProgress,
    isFirstShown: true,
  });
  const status = await followRun((await begun.json()) as RunStatus, {
    runs,
    clock,
    signal,
    show: (shown) => progress.show(shown),
  }).finally(() => progress.end());
  print(options.json ? `${JSON.stringify(status, undefined, 2)}\n` : describeVerdict(status));
  if (signal.aborted) return 130;
  if (!status.verdict) return 3;
  return status.verdict.ok ? 0 : 1;
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
    `The app on ${url} has no simulator (it answered ${response.status}): set SIMULATOR=on, or give another --url.`,
  );
}
