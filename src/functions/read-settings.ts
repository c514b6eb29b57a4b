import { type Config, ConfigError, checkRetention, readConfig, readSetting } from '../config.js';
import { longestRetryMs } from '../pipeline/decide.js';
import type { Workflow } from '../workflow.js';

/**
 * The settings, and which workflows are on with them.
 * @throws ConfigError that lists everything that is wrong with the settings and the workflows.
 */
export function readSettings(
  workflows: readonly Workflow[],
  env?: Parameters<typeof readConfig>[0],
): { config: Config; on: Workflow[]; off: { name: string; code: string }[] } {
  const problems = [
    ...twiceIn(workflows.map(({ name }) => name)).map((name) => `several workflows are named '${name}', must be one`),
    ...twiceIn(workflows.flatMap(({ lookup }) => lookup?.name ?? [])).map(
      (name) => `several look-ups are named '${name}', must be one`,
    ),
    ...twiceIn(workflows.flatMap(({ task }) => task?.name ?? [])).map(
      (name) => `several tasks are named '${name}', must be one`,
    ),
  ];
  const setting = readSetting(env);
  const setups = workflows.map((workflow) => ({ workflow, setup: workflow.setup(setting) }));
  problems.push(...setups.flatMap(({ setup }) => (setup.kind === 'wrong' ? setup.problems : [])));
  try {
    const config = readConfig(env);
    const on = setups.flatMap(({ workflow, setup }) => (setup.kind === 'on' ? [workflow] : []));
    const off = setups.flatMap(({ workflow: { name }, setup }) =>
      setup.kind === 'off' ? [{ name, code: setup.code }] : [],
    );
    checkRetention(config, Math.max(0, ...on.map(longestRetryMs)));
    if (problems.length === 0) return { config, on, off };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems.push(...error.problems);
  }
  throw new ConfigError(problems);
}

function twiceIn(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, at) => names.indexOf(name) !== at))];
}
