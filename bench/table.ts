import { type Aim, type Figure, isMet, type Section } from './figures.js';

export const SECTION_TITLES: Readonly<Record<Section, string>> = {
  a: '(a) the pipeline alone, stores in memory, batches of 100',
  b: '(b) over HTTP through the embedded host into Azurite; ms from POST to settled',
  c: '(c) the same, as the events stored become more',
  d: '(d) what an event costs, counted between the app and its tables',
  e: '(e) a workflow that always fails, at full rate; ms of another beside it',
  f: '(f) memory of the simulator, as it delivers more',
  g: '(g) what is deployed: files, MB, MB zipped; ms to start',
  h: '(h) reads of the FHIR service, Observations without a rule, built-in workflows',
  i: '(i) CPU of the app an event, POSTs of 100, reads answered in the process',
  j: '(j) five times the load: events whose jobs have all completed',
  k: '(k) other ways to do the same, each in the embedded host; CPU an event',
  l: '(l) clinic-day, all built-in workflows: requests to storage, CPU of the app',
};

const HEADS = [
  '',
  'events/s',
  'p50',
  'p99',
  'p99.99',
  'CPU ms',
  'requests',
  'entities',
  'files',
  'MB',
  'zipped',
  'result',
  'aim',
  '',
];
const GAP = '  ';

/** Formats all figures as one text table. */
export function formatTable(figures: readonly Figure[]): string {
  const rows = figures.map(cellsOf);
  const widths = HEADS.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join(GAP)
      .trimEnd();

  const lines = [line(HEADS)];
  for (const [index, figure] of figures.entries()) {
    if (figure.section !== figures[index - 1]?.section) lines.push('', SECTION_TITLES[figure.section]);
    lines.push(line(rows[index] ?? []));
  }
  return `${lines.join('\n')}\n`;
}

function cellsOf(figure: Figure): string[] {
  const { what, eventsPerSecond, p50Ms, p99Ms, p9999Ms, cpuMs, requestsPerEvent, entitiesPerEvent } = figure;
  const { files, mb, zippedMb, result, aim } = figure;
  return [
    `  ${what}`,
    eventsPerSecond === undefined ? '' : Math.round(eventsPerSecond).toLocaleString('en'),
    ...[p50Ms, p99Ms, p9999Ms].map((ms) => ms?.toFixed(ms < 10 ? 1 : 0) ?? ''),
    ...[cpuMs, requestsPerEvent, entitiesPerEvent].map((value) => value?.toFixed(2) ?? ''),
    files?.toLocaleString('en') ?? '',
    ...[mb, zippedMb].map((value) => value?.toFixed(1) ?? ''),
    result?.toFixed(2) ?? '',
    ...(result === undefined || aim === undefined ? [] : [textOf(aim), isMet(result, aim) ? 'met' : 'MISSED']),
  ];
}

function textOf(aim: Aim): string {
  return 'atLeast' in aim ? `≥ ${aim.atLeast}` : `≤ ${aim.atMost}`;
}
