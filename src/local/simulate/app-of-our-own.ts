import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { StartError } from '../host/start-error.js';

/**
 * Starts the app in a process of its own, which ends with this process, even after a kill. `close` resolves when the app's
 * process has ended.
 */
export function startAppOfOurOwn(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const child = fork(fileURLToPath(import.meta.resolve('../start.js')), ['--no-demo', '--port', '0'], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, SIMULATOR: 'on' },
    // A Ctrl-C must not reach the app: this process first stops the run there.
    detached: process.platform !== 'win32',
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return new Promise((resolve, reject) => {
    let said = '';
    const listen = (chunk: Buffer) => {
      if (said.length < 100_000) said += chunk.toString();
      const url = /^Serving on (\S+)\. /m.exec(said)?.[1];
      if (url) resolve({ url, close });
    };
    child.stdout?.on('data', listen);
    child.stderr?.on('data', listen);
    void ended.then(() => reject(new StartError(`The app could not be started:\n${said.trim()}`)));
  });

  async function close(): Promise<void> {
    child.kill('SIGINT');
    await ended;
  }
}
