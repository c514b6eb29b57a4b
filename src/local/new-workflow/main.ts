import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isResourceType, nearestResourceType } from '../../fhir-types.js';
import { OptionError, parseValues } from '../options.js';
import { print, printError } from '../output.js';
import { runCommand } from '../run-command.js';
import { addToIndex } from './add-to-index.js';
import { nameProblems } from './name-problems.js';
import { textsOf } from './templates.js';

const HELP = `npm run new:workflow -- <what> <name>

Writes a working workflow, its test, and its line in src/workflows/index.ts.

  <what>      a FHIR R4 type such as Observation, or dicom
  <name>      lower-case letters, digits and '-', such as glucose-trend; part of the ledger's keys, so never change it
  --help      shows this text

Exit code: 0 written, 1 the project does not build, 2 wrong argument. With 1 and 2 nothing is written.
`;

const INDEX = 'src/workflows/index.ts';

await runCommand(async () => main(process.argv.slice(2)));

function main(args: readonly string[]): number {
  const { values, positionals } = parseValues(args, { help: { type: 'boolean' } }, true);
  if (values.help) return print(HELP);
  const [what, name, ...more] = positionals;
  if (what === undefined || name === undefined || more.length > 0)
    throw new OptionError(`It takes two arguments; there are ${positionals.length}.`);
  const file = `src/workflows/${name}.ts`;
  const test = `test/workflows/${name}.test.ts`;
  const problems = problemsOf(what, name, [file, test, file.replace(/\.ts$/, '')]);
  if (problems.length > 0) return printError(`${problems.join('\n')}\nNothing was written.\n`, 2);
  const index = addToIndex(readFileSync(INDEX, 'utf8'), name);
  if (index === undefined)
    return printError(`${INDEX} has no 'export const workflows … = [ … ];' to add to. Nothing was written.\n`, 2);

  const texts = textsOf(what, name);
  writeFileSync(file, texts.workflow);
  writeFileSync(test, texts.test);
  writeFileSync(INDEX, index);
  format([file, test, INDEX]);
  return print(`Written:
  ${file}       what it does: begin here
  ${test}
  ${INDEX}       it is active
Test it with:
  npm test -- ${test}
`);
}

function problemsOf(what: string, name: string, places: readonly string[]): string[] {
  const isKnown = what === 'dicom' || isResourceType(what);
  const nearest = nearestResourceType(what);
  return [
    ...(isKnown
      ? []
      : [`'${what}' is neither dicom nor a type of FHIR R4${nearest ? `: did you mean ${nearest}?` : '.'}`]),
    ...nameProblems(name, { places, index: INDEX }),
  ];
}

/** Formats the files. A line that stays too long is no failure. */
function format(files: readonly string[]): void {
  const biome = createRequire(import.meta.url).resolve('@biomejs/biome/bin/biome');
  spawnSync(process.execPath, [biome, 'format', '--write', ...files], { stdio: 'ignore' });
}
