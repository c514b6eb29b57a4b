import type { Plan } from './plan.js';
import type { Result } from './simulate.js';

/** Returns the result as text, for all deployments together where it can be added up. */
export function describeResult(plan: Plan, result: Result, isEnough: boolean): string {
  const { scenario, rate, deployments, accounts, instances, seconds, seed } = plan;
  const { loads } = result;
  const all = (perDeployment: number) => count(perDeployment * deployments);
  const lines: [string, string][] = [
    ['', `${count(rate)} events/s of ${scenario.name}: ${isEnough ? 'keeps up' : 'does NOT keep up'}`],
    ['deployments', count(deployments)],
    ['storage accounts', `${all(accounts)}, ${accounts} of each`],
    ['instances', `${all(instances)}, ${instances} of each`],
    [
      'FHIR and DICOM requests/s',
      `${all(result.serviceRequestsPerSecond)}, ${round(result.serviceRequestsPerEvent)} an event`,
    ],
    ['first at its limit', firstLimit(plan, result)],
    ['event to applied', `p50 ${ms(result.p50Ms)}, p99 ${ms(result.p99Ms)}, p99.99 ${ms(result.p9999Ms)}`],
    [
      'within 5 s',
      `${(result.within5s * 100).toFixed(2)} %; ${round(result.putOffPerEvent)} jobs an event wait for a row`,
    ],
    ['storage, an event', `${round(result.requestsPerEvent)} requests, ${round(result.entitiesPerEvent)} entities`],
    ['CPU, an event', `${round(result.cpuMsPerEvent)} ms`],
    ['events in a POST', result.eventsPerPost.toFixed(1)],
    ['POSTs refused, requests with 503', `${count(result.failedPosts)}, ${count(result.throttled)}`],
    [
      'not applied',
      `${result.openAtEnd} with the last event, ${result.neverApplied} a minute later; ${result.deadLetters} dead letters`,
    ],
    ...loads.map(({ part, share }): [string, string] => [`  ${part}`, `${(share * 100).toFixed(0)} %`]),
    ['simulated', `one deployment, ${count(result.events)} events in ${seconds} s, seed ${seed}`],
  ];
  const width = Math.max(...lines.map(([what]) => what.length));
  return `${lines.map(([what, value]) => (what === '' ? value : `${what.padEnd(width)}  ${value}`)).join('\n')}\n`;
}

/** More instances raise the limit of the CPU; nothing raises that of storage. */
function firstLimit({ rate }: Plan, { loads }: Result): string {
  const [first] = loads.filter(({ kind }) => kind !== 'posts');
  const [ofStorage] = loads.filter(({ kind }) => kind === 'account' || kind === 'partition');
  if (!first || !ofStorage) return '';
  const storage = `${ofStorage.part}, at ${count(rate / ofStorage.share)} events/s`;
  return first.kind === 'cpu' ? `${first.part}; with more of them the ${storage}` : storage;
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function round(value: number): string {
  return value.toFixed(value < 1 ? 3 : 2);
}

function ms(value: number): string {
  return `${count(value)} ms`;
}
