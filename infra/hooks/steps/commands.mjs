import { spawnSync } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';

/** A problem that ends the hook. The message says what happened and what to do; the hook prints no stack. */
export class HookError extends Error {
  /** @override */
  name = 'HookError';
}

/** A failed az command. `message` is the output of az on stderr. */
export class AzError extends HookError {
  /** @override */
  name = 'AzError';
}

/**
 * The hook's environment variables, including the settings of the azd environment. Empty variables count as absent.
 * @type {Record<string, string | undefined>}
 */
export const env = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value?.trim()));

const isWindows = process.platform === 'win32';

/**
 * Runs a hook. A HookError prints its message and sets exit code 1; other errors are bugs and end with a stack.
 * @param {() => Promise<void>} run
 */
export async function runHook(run) {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof HookError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}

/** @param {string} text */
export function say(text) {
  process.stdout.write(`${text}\n`);
}

/**
 * Runs az on the environment's subscription, and returns the JSON that it prints.
 * @param {...string} args
 * @throws AzError where it fails.
 */
export function az(...args) {
  const subscription = env.AZURE_SUBSCRIPTION_ID ? ['--subscription', env.AZURE_SUBSCRIPTION_ID] : [];
  const { status, stdout, stderr } = run('az', [...args, ...subscription, '--only-show-errors', '--output', 'json']);
  if (status !== 0) throw new AzError(stderr.trim() || `az ${args.slice(0, 3).join(' ')} ended with ${status}.`);
  return stdout.trim() === '' ? undefined : JSON.parse(stdout);
}

/**
 * Sets settings of the azd environment.
 * @param {Record<string, string>} settings
 */
export function setInAzd(settings) {
  const name = env.AZURE_ENV_NAME ? ['--environment', env.AZURE_ENV_NAME] : [];
  for (const [key, value] of Object.entries(settings)) {
    const { status, stderr } = run('azd', ['env', 'set', key, value, ...name]);
    if (status !== 0) throw new HookError(`azd env set ${key} failed:\n  ${stderr.trim()}`);
    env[key] = value;
  }
}

/**
 * Throws a HookError that says how to install the program, if the program cannot run.
 * @param {string} program
 * @param {string} howToGetIt
 */
export function needProgram(program, howToGetIt) {
  const { status } = run(program, ['version']);
  if (status !== 0) throw new HookError(`${program} cannot be run: ${howToGetIt}`);
}

/** @param {...string} names */
export function settingsOf(...names) {
  const missing = names.filter((name) => !env[name]);
  if (missing.length === 0) return names.map((name) => String(env[name]));
  throw new HookError(`The azd environment has no ${missing.join(', ')}: azd provision sets them. Run it first.`);
}

/**
 * Calls `look` with pauses until it returns a value. Returns undefined if no try does.
 * @template T
 * @param {{ tries: number, seconds: number, meanwhile: string }} plan HOOKS_PAUSE_SECONDS replaces `seconds`
 * @param {() => T | undefined} look
 * @returns {Promise<T | undefined>}
 */
export async function lookAgain({ tries, seconds, meanwhile }, look) {
  for (let round = 1; round <= tries; round += 1) {
    const found = look();
    if (found !== undefined) return found;
    if (round === 1) say(`${meanwhile} This can take ${Math.ceil((tries * seconds) / 60)} minutes.`);
    if (round < tries) await pause(Number(env.HOOKS_PAUSE_SECONDS ?? seconds) * 1000);
  }
  return undefined;
}

/**
 * @param {string} program
 * @param {readonly string[]} args
 */
function run(program, args) {
  // On Windows az is a batch file, which only a shell can run.
  const options = { encoding: /** @type {const} */ ('utf8'), maxBuffer: 64 * 1024 * 1024 };
  const { status, stdout, stderr, error } =
    isWindows && program === 'az'
      ? spawnSync(`az ${args.map(quoteForCmd).join(' ')}`, { ...options, shell: true })
      : spawnSync(program, args, options);
  if (error) return { status: 127, stdout: '', stderr: error.message };
  return { status, stdout, stderr };
}

/**
 * Refuses quotes and percent signs, which cmd.exe interprets even within quotes. No hook passes such an argument.
 * @param {string} arg
 */
function quoteForCmd(arg) {
  if (/["%\r\n]/.test(arg)) throw new HookError(`az cannot be given ${JSON.stringify(arg)} on Windows.`);
  return `"${arg}"`;
}
