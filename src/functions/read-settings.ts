import { knownCode } from '../codes.js';
import { type Config, ConfigError, checkRetention, readConfig, readSetting } from '../config.js';
import { longestRetryMs } from '../pipeline/decide.js';
import { definedAt, type Workflow, WorkflowError } from '../workflow.js';

/**
 * Returns the settings, and the workflows that are on and off with them.
 * @throws WorkflowError if workflows share a name; ConfigError that lists every wrong setting.
 */
export function readSettings(
  workflows: readonly Workflow[],
  env?: Parameters<typeof readConfig>[0],
): { config: Config; on: Workflow[]; off: { name: string; code: string }[] } {
  checkNames(workflows);
  const setting = readSetting(env);
  const setups = workflows.map((workflow) => ({ workflow, setup: workflow.setup(setting) }));
  const problems = setups.flatMap(({ setup }) => (setup.kind === 'wrong' ? setup.problems : []));
  try {
    const config = readConfig(env);
    const on = setups.flatMap(({ workflow, setup }) => (setup.kind === 'on' ? [workflow] : []));
    const off = setups.flatMap(({ workflow: { name, codes }, setup }) =>
      setup.kind === 'off' ? [{ name, code: knownCode(setup.code, codes) }] : [],
    );
    checkRetention(config, Math.max(0, ...on.map(longestRetryMs)));
    if (problems.length === 0) return { config, on, off };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems.push(...error.problems);
  }
  throw new ConfigError(problems);
}

/**
 * Checks that no two workflows, lookups or tasks share a name.
 * @throws WorkflowError that names each shared name and the places where its workflows are defined.
 */
export function checkNames(workflows: readonly Workflow[]): void {
  const listedTwice = new Set(workflows.filter((workflow, at) => workflows.indexOf(workflow) !== at));
  const problems = [
    ...[...listedTwice].map(
      (workflow) =>
        `The list of workflows holds '${workflow.name}' twice (${definedAt(workflow)}). Remove one of the two.`,
    ),
    ...sharedBy(workflows, ({ name }) => name).map(
      ([name, places]) =>
        `Several workflows are named '${name}': ${places}. Rename one; the name is part of the key of every job, so leave ` +
        'the one that has run already.',
    ),
    ...sharedBy(workflows, ({ lookup }) => lookup?.name).map(
      ([name, places]) => `Several workflows have a lookup named '${name}': ${places}. Rename one of the lookups.`,
    ),
    ...sharedBy(workflows, ({ task }) => task?.name).map(
      ([name, places]) => `Several workflows have a task named '${name}': ${places}. Rename one of the tasks.`,
    ),
  ];
  if (problems.length > 0) throw new WorkflowError(problems.join('\n'));
}

/** Returns the names that several workflows share, each with the places of their definitions. */
function sharedBy(
  workflows: readonly Workflow[],
  nameIn: (workflow: Workflow) => string | undefined,
): [name: string | undefined, places: string][] {
  return [...Map.groupBy(new Set(workflows), nameIn)]
    .filter(([name, named]) => name !== undefined && named.length > 1)
    .map(([name, named]) => [name, named.map(definedAt).join(' and ')]);
}
