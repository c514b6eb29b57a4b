import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** A script of this project in a process of its own, run from its sources. */
export type TestProcess = {
  readonly process: ChildProcess;
  /** Everything printed so far. */
  output(): string;
  /** The exact text of standard output so far. */
  stdout(): string;
  /** Resolves when a line that holds `text` is printed, or has been. */
  printed(text: string): Promise<void>;
  /** The exit code. */
  readonly ended: Promise<number | null>;
  kill(): Promise<void>;
};

export const ROOT = process.cwd();

/** Resolves with the URL of a host when it listens. */
export async function urlOf(host: TestProcess): Promise<string> {
  await host.printed('Listening on');
  return `http://127.0.0.1:${/Listening on \S+:(\d+)/.exec(host.output())?.[1]}`;
}

type Options = { env?: NodeJS.ProcessEnv; cwd?: string };

export function startProcess(script: string, args: readonly string[], { env, cwd }: Options = {}): TestProcess {
  const loader = join(ROOT, 'test/local/run-typescript.mjs');
  const child = spawn(process.execPath, ['--import', loader, join(ROOT, script), ...args], {
    env: { ...process.env, ...env },
    ...(cwd !== undefined && { cwd }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return {
    process: child,
    ...readLines([child.stdout, child.stderr], ended),
    stdout: () => stdout,
    ended,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Reads the lines of a process. `printed` rejects if the process ends first. */
function readLines(
  streams: readonly Readable[],
  ended: Promise<number | null>,
): Pick<TestProcess, 'output' | 'printed'> {
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  for (const stream of streams) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      for (const look of waiting) look();
    });
  }
  const output = () => lines.join('\n');
  return {
    output,
    printed: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!output().includes(text)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        ended.then((code) => reject(new Error(`It ended with ${code} before it printed '${text}':\n${output()}`)));
        look();
      }),
  };
}
