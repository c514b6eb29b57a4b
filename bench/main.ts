import { parseArgs } from 'node:util';
import type { Figure, Report, Section } from './figures.js';
import { describeMachine } from './machine.js';
import { FULL, type Plan, QUICK } from './plan.js';
import { benchClinicDay } from './sections/clinic-day.js';
import { benchCpu } from './sections/cpu.js';
import { benchEndToEnd } from './sections/end-to-end.js';
import { benchFailingWorkflow } from './sections/failing-workflow.js';
import { benchFhirReads } from './sections/fhir-reads.js';
import { benchInMemory } from './sections/in-memory.js';
import { benchOverload } from './sections/overload.js';
import { benchPackage } from './sections/package.js';
import { benchPeers } from './sections/peers.js';
import { benchSimulator } from './sections/simulator.js';
import { benchStorageCalls } from './sections/storage-calls.js';
import { benchStoredEvents } from './sections/stored-events.js';
import { formatTable, SECTION_TITLES } from './table.js';

const SECTIONS: Readonly<Record<Section, (plan: Plan, report: Report) => Promise<void>>> = {
  a: benchInMemory,
  b: benchEndToEnd,
  c: benchStoredEvents,
  d: benchStorageCalls,
  e: benchFailingWorkflow,
  f: benchSimulator,
  g: benchPackage,
  h: benchFhirReads,
  i: benchCpu,
  j: benchOverload,
  k: benchPeers,
  l: benchClinicDay,
};

const HELP = `npm run bench [-- --quick] [-- --only a,b] [-- --json]

Measures the app on this machine, and prints each result beside its aim.

  --quick     half a minute instead of ten: shows that everything runs, its figures say little
  --only a,b  run only these sections
  --json      the figures as JSON
  --help      this text

${Object.values(SECTION_TITLES).join('\n')}
`;

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: Object.keys(SECTIONS).join(',') },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) process.stdout.write(HELP);
else await bench(sectionsOf(options.only), options.quick ? QUICK : FULL);

async function bench(sections: readonly Section[], plan: Plan): Promise<void> {
  const machine = describeMachine();
  const figures: Figure[] = [];
  for (const section of sections) {
    process.stderr.write(`${SECTION_TITLES[section]} …\n`); // Progress for people. Standard output has only the table.
    await SECTIONS[section](plan, (figure) => figures.push({ section, ...figure }));
  }
  const { cpus, cpu, memoryGiB, node, loadAverage } = machine;
  const on = `${cpus} processors (${cpu}), ${memoryGiB} GiB, Node ${node}, load average at the start ${loadAverage}`;
  process.stdout.write(
    options.json ? `${JSON.stringify({ machine, figures })}\n` : `${formatTable(figures)}\non ${on}\n`,
  );
}

function sectionsOf(list: string): Section[] {
  const wanted = list.split(',');
  const unknown = wanted.filter((name) => !Object.hasOwn(SECTIONS, name));
  if (unknown.length === 0) return wanted as Section[];
  process.stderr.write(`There is no section ${unknown.join(', ')}: a to l, with commas between.\n`);
  process.exit(1);
}
