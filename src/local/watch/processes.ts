import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../../clock.js';

/** The check takes a processor for seconds, and the next change stops it. So it waits for a pause between changes. */
const CHECK_AFTER_MS = 1000;

type AppOptions = { readonly signal: AbortSignal; readonly onServing: () => void };

/**
 * Starts `npm start` with these arguments in a process of its own, which also ends when this process is killed.
 * `signal` aborts at a Ctrl-C, which the app gets as well. No message then says that the app has ended.
 */
export function startApp(args: readonly string[], { signal, onServing }: AppOptions) {
  const child = fork(fileURLToPath(import.meta.resolve('../start.js')), args);
  const exited = once(child, 'exit');
  let isEnding = false;
  child.once('message', () => !isEnding && onServing());
  child.once('exit', () => {
    if (!isEnding && !signal.aborted) printLine('The app has ended. It starts again at the next change.');
  });
  return {
    /** Lets the app end as at a Ctrl-C, and resolves when its process has ended. */
    async end(): Promise<void> {
      isEnding = true;
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}

/** Checks the types of the whole app in the background, after a pause, and prints the errors. */
export function startTypeCheck(clock: Clock): { stop(): void } {
  const compiler = join('node_modules', 'typescript', 'bin', 'tsc');
  const options = ['--noEmit', '--incremental', '--tsBuildInfoFile', '.local/watch.tsbuildinfo'];
  let child: ChildProcess | undefined;
  const cancel = clock.after(CHECK_AFTER_MS, () => {
    child = spawn(process.execPath, [compiler, '-p', 'tsconfig.build.json', ...options], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    child.once('exit', (code) => {
      if (code) printLine('The types have errors, see above. The app runs nevertheless.');
    });
  });
  return {
    stop() {
      cancel();
      child?.kill();
    },
  };
}

export function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}
