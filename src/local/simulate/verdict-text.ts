import { printable } from '../../printable.js';
import type { RunStatus } from '../../simulator/runs/run.js';
import type { Verdict } from '../../simulator/runs/verdict.js';
import { barOf } from '../progress.js';

/** The phases whose names do not say enough. */
const PHASES: Partial<Record<RunStatus['phase'], string>> = { making: 'making events', checking: 'checking storage' };

/** The lag that Azure Health Data Services promises for its events. */
const PROMISED_MEAN_MS = 1000;
const PROMISED_SHARE = 0.9999;
/** At these values and above, work waits for a core or for the event loop. */
const BUSY_SHARE = 0.8;
const BUSY_DELAY_MS = 200;

/** Returns the progress of a run. Malformed events are not part of `events`. */
export function describeProgress({ phase, made, events, pending }: RunStatus): string {
  return `${barOf(made / events)} ${made} of ${events}: ${PHASES[phase] ?? phase}, ${pending} with Event Grid`;
}

/** Returns the verdict of a run for the terminal, or the reason why the run has no verdict. */
export function describeVerdict(status: RunStatus): string {
  const { scenario, seed, verdict, error, phase } = status;
  if (!verdict)
    return `The run ${phase === 'failed' ? `failed: ${printable(error ?? '')}` : 'was stopped; there is no verdict'}.\n`;
  const lines = countsIn(status, verdict);
  const width = Math.max(...lines.map(([name]) => name.length));
  const table = lines.map(([name, value]) => `  ${name.padEnd(width)}   ${value}\n`).join('');
  const wrong = verdict.problems.map((problem) => `  ${printable(problem)}\n`).join('');
  const busy = textOfBusyMachine(status);
  return `\n${scenario}, seed ${seed}\n\n${table}${busy && `\n${busy}\n`}${wrong && `\n${wrong}`}\n${conclusionOf(verdict)}\n`;
}

function conclusionOf({ ok, neverDelivered: { lostByChaos, eventsOff, hardDeleted, found } }: Verdict): string {
  if (!ok) return 'NOT as it should be.';
  const unknown = lostByChaos + eventsOff - hardDeleted - found;
  if (unknown === 0) return 'Nothing is lost.';
  return `Nothing that was delivered is lost. Reconciliation has not found ${unknown} changes that were not delivered.`;
}

function countsIn({ deliveries, redriven }: RunStatus, verdict: Verdict): [name: string, value: string][] {
  const { events, neverDelivered, jobs, lagMs, tables } = verdict;
  const { lostByChaos, eventsOff, hardDeleted, found } = neverDelivered;
  const lines: ([string, string] | false)[] = [
    ['sent', `${events.sent}, ${events.malformed} of them malformed`],
    ['delivered', `${deliveries.delivered} in ${deliveries.requests} requests`],
    ['duplicates', `${deliveries.duplicates}`],
    ['retried', `${deliveries.retried}`],
    ['settled', `${events.settled}, with ${jobs.completed} jobs completed`],
    ['superseded', `${jobs.superseded} jobs, by newer versions`],
    ['dead-lettered', `${events.deadLettered}, and ${events.rejected} malformed`],
    events.ignored > 0 && ['not wanted', `${events.ignored}, by any workflow`],
    events.open > 0 && ['still open', `${events.open}: they wait for another try`],
    redriven > 0 && ['redriven', `${redriven}, out of Event Grid's dead letters`],
    events.undelivered > 0 && [
      'undelivered',
      `${events.undelivered}: Event Grid gave up; they are in the container undelivered`,
    ],
    lostByChaos > 0 && ['lost by chaos', `${lostByChaos} events`],
    eventsOff > 0 && ['events off', `${eventsOff} changes made no event`],
    lostByChaos + eventsOff > 0 && [
      'never delivered',
      `${lostByChaos + eventsOff}, ${found} of them found by reconciliation`,
    ],
    hardDeleted > 0 && ['hard-deleted', `${hardDeleted} of them with their resources: nobody can find these`],
    lagMs !== null && ['lag', textOfLag(lagMs, verdict.withinFiveSeconds)],
    ...Object.entries(tables).map(([name, { rows, wrong }]): [string, string] => [
      `table of ${name}`,
      `${rows} rows, ${wrong} wrong`,
    ]),
    ['LOST', String(events.lost)],
  ];
  return lines.filter((line) => line !== false);
}

function textOfLag({ mean, p50, p99, p9999 }: NonNullable<Verdict['lagMs']>, withinFiveSeconds: number): string {
  return (
    `mean ${seconds(mean)}, p50 ${seconds(p50)}, p99 ${seconds(p99)}, p99.99 ${seconds(p9999)}; ` +
    `${(withinFiveSeconds * 100).toFixed(2)} % within 5 s (the service promises 1 s in the mean, 99.99 % in 5 s)`
  );
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

/**
 * Returns a note if the lag exceeds the promise while the machine was busy, because then the app may not be the cause.
 */
function textOfBusyMachine({ verdict, machine }: RunStatus): string {
  const { lagMs, withinFiveSeconds } = verdict ?? {};
  const isLate = (lagMs?.mean ?? 0) > PROMISED_MEAN_MS || (withinFiveSeconds ?? 1) < PROMISED_SHARE;
  if (!isLate || !machine) return '';
  const { cores, cpuShare, loadAverage, eventLoopDelayMs } = machine;
  if (cpuShare < BUSY_SHARE && loadAverage <= cores && eventLoopDelayMs < BUSY_DELAY_MS) return '';
  return (
    `  The machine was busy: CPU ${Math.round(cpuShare * 100)} % of ${cores} cores, load average ${loadAverage.toFixed(1)}, ` +
    `event-loop delay ${Math.round(eventLoopDelayMs)} ms.\n` +
    '  The lag is that of this machine. Run again with a lower --rate, or when less else runs here.'
  );
}
