import { systemClock as clock } from '../../clock.js';
import type { RunStatus } from '../../simulator/runs/run.js';
import { scenarios } from '../../simulator/scenarios/index.js';
import { StartError } from '../host/start-error.js';
import { withLocalSettings } from '../local-settings.js';
import { OptionError } from '../options.js';
import { print } from '../output.js';
import { createProgress } from '../progress.js';
import { type Running, runCommand } from '../run-command.js';
import { ask, followRun, reasonOf } from './follow-run.js';
import { HELP, type Options, parseOptions, requestOf, textOfProblems } from './options.js';
import { startOwnApp } from './own-app.js';
import { sendToTopic } from './send-to-topic.js';
import { describeProgress, describeVerdict } from './verdict-text.js';

await runCommand(main);

async function main({ signal, atEnd }: Running): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) return print(HELP);
  if (options.list) return print(scenarios.map(({ name, summary }) => `${name.padEnd(18)} ${summary}\n`).join(''));
  const request = requestOf(options);
  if (options['topic-endpoint'] !== undefined) return sendToTopic(options, request, { clock, signal });
  const url = options.url ?? `http://localhost:${withLocalSettings(process.cwd(), process.env).PORT ?? '7071'}`;
  if (!URL.canParse(url)) throw new OptionError(`--url is '${url}', must be a URL such as http://localhost:7071.`);
  if (await isAppAt(url)) return run({ url, request, options }, signal);
  if (options.url !== undefined) throw new StartError(`Nothing answers on ${url}: start the app there.`);
  const own = await startOwnApp();
  atEnd(own.close);
  return run({ url: own.url, request, options }, signal);
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
  const progress = createProgress(process.stderr, { describe: describeProgress, isFirstShown: true });
  const following = followRun((await begun.json()) as RunStatus, { runs, clock, signal, show: progress.show });
  const status = await following.finally(progress.end);
  print(options.json ? `${JSON.stringify(status, undefined, 2)}\n` : describeVerdict(status));
  if (signal.aborted) return 130;
  if (!status.verdict) return 3;
  return status.verdict.ok ? 0 : 1;
}

/** Returns whether an app answers at `url`. @throws StartError if that app has no simulator */
async function isAppAt(url: string): Promise<boolean> {
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
