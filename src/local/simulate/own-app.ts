import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { StartError } from '../host/start-error.js';

/**
 * Starts an app for this command, in a process that ends with the command, even when the command is killed. `close`
 * resolves when the process of the app has ended.
 */
export function startOwnApp(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const child = fork(fileURLToPath(import.meta.resolve('../start.js')), ['--no-demo', '--port', '0'], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, SIMULATOR: 'on' },
    // A Ctrl-C must not reach the app: this process first stops the run there.
    detached: process.platform !== 'win32',
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return new Promise((resolve, reject) => {
    let printed = '';
    const collect = (chunk: Buffer) => {
      if (printed.length < 100_000) printed += chunk.toString();
      const url = /^Serving on (\S+)\. /m.exec(printed)?.[1];
      if (url) resolve({ url, close });
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    void ended.then(() => reject(new StartError(`The app could not be started:\n${printed.trim()}`)));
  });

  async function close(): Promise<void> {
    child.kill('SIGINT');
    await ended;
  }
}
