import type { RunStatus } from '../../simulator/runs/run.js';

/** What a run has come to, for people. */
export function describeVerdict({ scenario, seed, deliveries, redriven, verdict, error, phase }: RunStatus): string {
  if (!verdict) return `The run ${phase === 'failed' ? `failed: ${error}` : 'was stopped; there is no verdict'}.\n`;
  const { events, jobs, lagMs, withinFiveSeconds, tables, problems } = verdict;
  const lines: [string, string][] = [
    ['sent', `${events.sent}, ${events.malformed} of them malformed`],
    ['delivered', `${deliveries.delivered} in ${deliveries.requests} requests`],
    ['duplicates', `${deliveries.duplicates}`],
    ['retried', `${deliveries.retried}`],
    ['settled', `${events.settled}, with ${jobs.completed} jobs completed`],
    ['superseded', `${jobs.superseded} jobs, by newer versions`],
    ['dead-lettered', `${events.deadLettered}, and ${events.rejected} malformed`],
    ...(events.ignored > 0 ? [['not wanted', `${events.ignored}, by any workflow`] as [string, string]] : []),
    ...(events.open > 0 ? [['still open', `${events.open}: they wait for another try`] as [string, string]] : []),
    ...(redriven > 0 ? [['redriven', `${redriven}, out of Event Grid's dead letters`] as [string, string]] : []),
    ...(events.undelivered > 0
      ? [
          ['undelivered', `${events.undelivered}: Event Grid gave up; they lie in container undelivered`] as [
            string,
            string,
          ],
        ]
      : []),
    ...(lagMs && withinFiveSeconds !== null
      ? [
          [
            'lag',
            `mean ${seconds(lagMs.mean)}, p50 ${seconds(lagMs.p50)}, p99 ${seconds(lagMs.p99)}, p99.99 ${seconds(lagMs.p9999)}; ` +
              `${(withinFiveSeconds * 100).toFixed(2)} % within 5 s (the service promises 1 s in the mean, 99.99 % in 5 s)`,
          ] as [string, string],
        ]
      : []),
    ...Object.entries(tables).map(
      ([name, { rows, wrong }]) => [`table of ${name}`, `${rows} rows, ${wrong} wrong`] as [string, string],
    ),
    ['LOST', String(events.lost)],
  ];
  const width = Math.max(...lines.map(([name]) => name.length));
  const table = lines.map(([name, value]) => `  ${name.padEnd(width)}   ${value}\n`).join('');
  const wrong = problems.map((problem) => `  ${problem}\n`).join('');
  return `\n${scenario}, seed ${seed}\n\n${table}${wrong && `\n${wrong}`}\n${verdict.ok ? 'Nothing is lost.' : 'NOT as it should be.'}\n`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
