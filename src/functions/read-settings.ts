import { knownCode } from '../codes.js';
import { type Config, ConfigError, checkRetention, readConfig, readSetting } from '../config.js';
import { longestRetryMs } from '../pipeline/decide.js';
import type { Workflow } from '../workflow.js';
import { checkNames } from './unique-names.js';

/**
 * Returns the settings, and which workflows are on and off with them.
 * @throws WorkflowError where workflows share a name; ConfigError that lists every wrong setting.
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
