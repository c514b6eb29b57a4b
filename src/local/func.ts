import { spawn } from 'node:child_process';
import { systemClock as clock } from '../clock.js';
import { StartError } from './host/start-error.js';
import { endWith, openLocalApp } from './open-local-app.js';

const HOW_TO_GET_IT = `Azure Functions Core Tools are not installed: there is no command 'func'.

  macOS     brew tap azure/functions && brew install azure-functions-core-tools@4
  Windows   winget install Microsoft.Azure.FunctionsCoreTools
  any       npm install -g azure-functions-core-tools@4 --unsafe-perm true

More on https://learn.microsoft.com/azure/azure-functions/functions-run-local
npm start runs the app without them.
`;

/** `npm run func`: runs the code and storage of npm start under the real host. */
try {
  const appRoot = process.cwd();
  const { env, config, azurite } = await openLocalApp(appRoot, process.env, clock);
  const exitCode = await runCoreTools(['start', '--port', String(config.port), ...process.argv.slice(2)], env);
  await azurite?.release();
  process.exit(exitCode);
} catch (error) {
  endWith(error);
}

function runCoreTools(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve, reject) => {
    const isWindows = process.platform === 'win32';
    const tools = spawn('func', args, { stdio: 'inherit', env, shell: isWindows });
    process.on('SIGINT', () => {}); // func gets the Ctrl-C itself
    process.on('SIGTERM', () => tools.kill('SIGTERM'));
    tools.once('error', () => reject(new StartError(HOW_TO_GET_IT)));
    tools.once('exit', (code) => resolve(code ?? 1));
  });
}
