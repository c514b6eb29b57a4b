import { numberOf, OptionError, parseValues, textOf, type Values } from '../../src/local/options.js';
import { print, printError, printOptionError } from '../../src/local/output.js';
import { barOf, createProgress } from '../../src/local/progress.js';
import { scenarios } from '../../src/simulator/scenarios/index.js';
import { describeResult } from './describe-result.js';
import type { Latency, Plan } from './plan.js';
import { findPlan, keepsUp, type Wanted } from './search.js';
import { simulate } from './simulate.js';

const MIXES = scenarios.filter(({ isReceiverDown }) => !isReceiverDown);

const HELP = `npm run capacity [-- options]

Says how many instances, storage accounts and FHIR requests a rate of events needs, and which part reaches its limit first. The
app runs with all built-in workflows in virtual time, over storage with Azure's limits. Of several deployments it simulates
one. Nothing is sent, and nothing is stored.

  --rate N             events a second; 5000 if left out
  --mix NAME           ${MIXES.map(({ name }) => name).join(', ')}; clinic-day if left out. As many plays of it
                       run side by side as it takes at the scenario's own rate
  --deployments N      equal deployments, each with a share of the services; if left out the fewest are found
  --accounts N         storage accounts of each, 1 or 2 (SEPARATE_WORKFLOW_STORAGE); if left out the fewest are found
  --instances N        of each deployment; if left out the fewest are found
  --minutes N          how long events come in the last run; 0.25 if left out
  --cpu N              how many times slower your processor is than the measured one; 1 if left out
  --storage-ms P50,P99 of a request to storage; 10,60 if left out
  --service-ms P50,P99 of a request to the FHIR or DICOM service; 30,200 if left out
  --batch N            maxEventsPerBatch; 100 if left out
  --posts N            POSTs of a subscription at a time, which Azure does not document; 32 if left out
  --seed N             the same seed gives the same result; 1 if left out
  --json               the plan and its result as JSON
  --help               this text

Exit code: 0 the plan keeps up, 1 it does not, or none was found; 2 an option is wrong.
`;

const TEXT = { type: 'string' } as const;
const FLAG = { type: 'boolean' } as const;
const OPTIONS = {
  ...{ rate: TEXT, mix: TEXT, deployments: TEXT, accounts: TEXT, instances: TEXT, minutes: TEXT, cpu: TEXT },
  ...{ 'storage-ms': TEXT, 'service-ms': TEXT, batch: TEXT, posts: TEXT, seed: TEXT, json: FLAG, help: FLAG },
};

process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const { values } = parseValues(process.argv.slice(2), OPTIONS);
    if (values.help) return print(HELP);
    return await plan(wantedOf(values), { isJson: values.json === true });
  } catch (error) {
    if (error instanceof OptionError) return printOptionError(error);
    throw error;
  }
}

async function plan(wanted: Wanted, { isJson }: { isJson: boolean }): Promise<number> {
  const progress = createProgress(process.stderr, { describe: (text: string) => text });
  const run = (trial: Plan) => {
    progress.show(`trial: ${nameOf(trial)}`);
    return simulate(trial);
  };
  const found = isComplete(wanted) ? wanted : await findPlan(wanted, run);
  if (!found) {
    progress.end();
    return printError('No number of instances and accounts keeps up: use more --deployments.\n', 1);
  }
  const result = await simulate(found, (share) => progress.show(`${barOf(share)} ${nameOf(found)}`));
  progress.end();
  const isEnough = keepsUp(result);
  const { scenario, ...rest } = found;
  print(
    isJson
      ? `${JSON.stringify({ plan: { mix: scenario.name, ...rest }, keepsUp: isEnough, result }, undefined, 2)}\n`
      : describeResult(found, result, isEnough),
  );
  return isEnough ? 0 : 1;
}

function isComplete(wanted: Wanted): wanted is Plan {
  return wanted.deployments !== undefined && wanted.accounts !== undefined && wanted.instances !== undefined;
}

function nameOf({ deployments, accounts, instances }: Plan): string {
  return `deployments ${deployments}, accounts of each ${accounts}, instances of each ${instances}`;
}

function wantedOf(values: Values): Wanted {
  const mix = textOf(values, 'mix') ?? 'clinic-day';
  const scenario = MIXES.find(({ name }) => name === mix);
  if (!scenario)
    throw new OptionError(`--mix is '${mix}', must be one of ${MIXES.map(({ name }) => name).join(', ')}.`);
  const whole = (name: string, to: number) => wholeNumberOf(values, name, to);
  const deployments = whole('deployments', 100);
  const accounts = whole('accounts', 2) as 1 | 2 | undefined;
  const instances = whole('instances', 1000);
  return {
    scenario,
    rate: numberOf(values, 'rate', { from: 1, to: 100_000 }) ?? 5000,
    seconds: 60 * (numberOf(values, 'minutes', { from: 0.01, to: 60 }) ?? 0.25),
    cpu: numberOf(values, 'cpu', { from: 0.01, to: 100 }) ?? 1,
    seed: whole('seed', 1e9) ?? 1,
    maxEventsPerBatch: whole('batch', 5000) ?? 100,
    posts: whole('posts', 1000) ?? 32,
    storage: latencyOf(values, 'storage-ms') ?? { p50Ms: 10, p99Ms: 60 },
    service: latencyOf(values, 'service-ms') ?? { p50Ms: 30, p99Ms: 200 },
    ...(deployments !== undefined && { deployments }),
    ...(accounts !== undefined && { accounts }),
    ...(instances !== undefined && { instances }),
  };
}

function wholeNumberOf(values: Values, name: string, to: number): number | undefined {
  const number = numberOf(values, name, { from: 1, to });
  if (number === undefined || Number.isInteger(number)) return number;
  throw new OptionError(`--${name} is '${textOf(values, name)}', must be a whole number.`);
}

function latencyOf(values: Values, name: string): Latency | undefined {
  const text = textOf(values, name);
  if (text === undefined) return undefined;
  const [p50Ms = 0, p99Ms = 0, ...more] = text.split(',').map(Number);
  if (p50Ms > 0 && p99Ms >= p50Ms && more.length === 0) return { p50Ms, p99Ms };
  throw new OptionError(`--${name} is '${text}', must be two times in ms such as 10,60, the longer one second.`);
}
