import { existsSync, readFileSync } from 'node:fs';
import { workflows } from '../../workflows/index.js';
import { demoFlaky } from '../demo-flaky.js';
import { identifierOf, tableOf } from './templates.js';

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const MAX_LENGTH = 63;
/** Files with these names cannot exist on Windows, whatever their extension. */
const DEVICE = /^(con|prn|aux|nul|(com|lpt)\d)$/;
const RESERVED = new Set(
  `arguments await break case catch class const continue debugger default delete do else enum eval export extends false
  finally for function if implements import in instanceof interface let new null package private protected public return
  static super switch this throw true try typeof undefined var void while with yield`.split(/\s+/),
);

/**
 * Returns the reasons why a workflow cannot have this name; empty if it can.
 * @param places files and folders that the workflow needs
 * @param index the file that lists the workflows
 */
export function nameProblems(name: string, { places, index }: { places: readonly string[]; index: string }): string[] {
  if (!NAME.test(name) || name.length > MAX_LENGTH) {
    return [`'${name}' must be 1 to ${MAX_LENGTH} of a-z, 0-9 and single '-', a letter first.`];
  }
  const reason = reasonAgainst(name, readFileSync(index, 'utf8'), index);
  return [
    ...(reason === undefined ? [] : [reason]),
    ...places.filter(existsSync).map((one) => `${one} is there already.`),
  ];
}

function reasonAgainst(name: string, indexText: string, index: string): string | undefined {
  if (RESERVED.has(name)) return `'${name}' is a word of the language, so no workflow can be called that.`;
  if (name in {}) return `'${name}' is a property of every object, so lookups by name would find that in its place.`;
  if (name === 'unknown') return "'unknown' is how metrics name a workflow that this app does not have.";
  if (DEVICE.test(name)) return `'${name}' is a device on Windows, which cannot have a file of that name.`;
  const taken = [...workflows, demoFlaky].find((workflow) => workflow.name === name);
  if (taken) return taken === demoFlaky ? TAKEN_BY_DEMONSTRATION : `There is a workflow named '${name}'.`;
  const alike = workflows.find((workflow) => tableOf(workflow.name) === tableOf(name));
  if (alike) return `'${name}' would share table '${tableOf(name)}' with the workflow '${alike.name}'.`;
  const identifier = identifierOf(name);
  if (importedIn(indexText).includes(identifier)) return `${index} already has '${identifier}'.`;
  return undefined;
}

function importedIn(text: string): string[] {
  return [...text.matchAll(/^import .*\{([^}]*)\}/gm)].flatMap(([, names = '']) => names.split(/[\s,]+/));
}

const TAKEN_BY_DEMONSTRATION = "'demo-flaky' is the workflow of the demonstration that `npm start` runs.";
