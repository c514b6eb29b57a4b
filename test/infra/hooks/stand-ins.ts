import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach } from '@jest/globals';

/**
 * A fake az or azd, a stand-in, answers a command that begins with `to`. The first match counts, at most `times` times.
 */
export type Answer = { to: string; says?: unknown; fails?: string; status?: number; times?: number };
/** A command that a stand-in ran, and the file after --file, --parameters or --body. */
export type Call = { command: string; file?: { text: string; mode: number; path: string } };
export type End = { status: number | null; said: string; complained: string; calls: Call[] };

export const DEPLOYER = '00000000-0000-0000-0000-00000000000d';
/** A token as Azure's: the hook reads only its claims. */
export const TOKEN = `e30.${Buffer.from(JSON.stringify({ oid: DEPLOYER })).toString('base64url')}.signature`;
/** The answers to the first commands of the preprovision hook, where there is no earlier deployment. */
export const SIGNED_IN: readonly Answer[] = [
  { to: 'az version', says: {} },
  { to: 'azd version', says: 'azd 1.31.2' },
  { to: 'az account get-access-token', says: TOKEN },
  { to: 'az storage account list', says: [] },
  { to: 'azd env set' },
];

const WITHOUT_ANSWER = 'The table has no answer.';
const ARGS = { sh: [], ps1: ['-NoProfile', '-File'] } as const;
type Shell = keyof typeof ARGS;
const paths: Readonly<Record<Shell, string>> = { sh: pathOf('sh'), ps1: pathOf('pwsh') };

/** sh, and PowerShell where it is installed. */
export const SHELLS_HERE = (Object.keys(paths) as Shell[]).filter((shell) => paths[shell] !== '');

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/**
 * Runs a hook as azd does. The PATH holds stand-ins for az and azd, which reply with `answers`. Pauses take no time.
 */
export function runHook(
  hook: string,
  { answers, env, shell = 'sh', programs = ['az', 'azd'], hasNode = true }: HookRun,
): End {
  const folder = mkdtempSync(join(tmpdir(), 'ahds-hooks-'));
  folders.push(folder);
  for (const program of programs) write(join(folder, program), standIn(program));
  write(join(folder, 'answers.json'), JSON.stringify(answers));
  mkdirSync(join(folder, 'tmp'));
  // The PATH holds only these programs, so that a hook never finds an az of this machine.
  write(join(folder, 'dirname'), `#!/bin/sh\nexec ${pathOf('dirname')} "$@"\n`);
  if (hasNode) write(join(folder, 'node'), `#!/bin/sh\nexec '${process.execPath}' "$@"\n`);

  const { status, stdout, stderr } = spawnSync(
    paths[shell],
    [...ARGS[shell], resolve(`infra/hooks/${hook}.${shell}`)],
    {
      encoding: 'utf8',
      env: { PATH: folder, TMPDIR: join(folder, 'tmp'), HOOKS_PAUSE_SECONDS: '0', HOME: folder, ...env },
    },
  );
  return { status, said: stdout, complained: stderr, calls: callsIn(folder) };
}

export type HookRun = {
  answers: readonly Answer[];
  env: Record<string, string>;
  shell?: Shell;
  programs?: readonly string[];
  hasNode?: boolean;
};

function pathOf(program: string): string {
  return spawnSync('/bin/sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).stdout.trim();
}

/** The commands without the options that end every call. `s` is the subscription in tests that do not check it. */
export function commandsOf({ calls }: End): string[] {
  return calls.map(({ command }) => command.replace(/( --subscription s)? --only-show-errors --output json$/, ''));
}

function callsIn(folder: string): Call[] {
  const file = join(folder, 'calls.jsonl');
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line));
}

function write(path: string, text: string): void {
  writeFileSync(path, text);
  chmodSync(path, 0o755);
}

/** The source of a stand-in. Uses nothing from this file, because each stand-in is a process. */
function standIn(program: string): string {
  return `#!${process.execPath}
const { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const args = process.argv.slice(2);
const command = ['${program}', ...args].join(' ');
const at = args.findIndex((arg) => ['--file', '--parameters', '--body'].includes(arg));
const path = (args[at + 1] ?? '').replace(/^@/, '');
const hasFile = at >= 0 && existsSync(path);
const file = hasFile ? { path, text: readFileSync(path, 'utf8'), mode: statSync(path).mode & 0o777 } : undefined;
appendFileSync(join(__dirname, 'calls.jsonl'), JSON.stringify({ command, file }) + '\\n');
const table = join(__dirname, 'answers.json');
const answers = JSON.parse(readFileSync(table, 'utf8'));
const answer = answers.find(({ to, times }) => command.startsWith(to) && times !== 0);
if (answer && answer.times) {
  answer.times -= 1;
  writeFileSync(table, JSON.stringify(answers));
}
const { says, fails, status } = answer ?? { fails: '${WITHOUT_ANSWER}' };
if (says !== undefined) process.stdout.write(JSON.stringify(says));
if (fails !== undefined) process.stderr.write('ERROR: ' + fails + '\\n');
process.exitCode = status ?? (fails === undefined ? 0 : 1);
`;
}
