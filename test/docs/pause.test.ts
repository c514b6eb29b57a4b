import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { pauseAnswer } from '../../src/api/workflows.js';
import { useAppFolder } from '../local/app-folder.js';

const run = promisify(execFile);
const [, section = ''] = /^## Pause a workflow\n([\s\S]*?)^## /m.exec(readFileSync('docs/operations.md', 'utf8')) ?? [];
const commands = [...section.matchAll(/^ *```sh\n([\s\S]*?)^ *```/gm)].map(([, command = '']) => command.trim());

const folder = useAppFolder();

describe('when a reader follows "Pause a workflow" in docs/operations.md', () => {
  it('given the commands, then the workflow is paused with the reason, and then resumed', async () => {
    const app = folder.start('src/local/start.ts', ['--no-demo', '--port', '0'], { lasts: true });
    await app.printed('Ctrl-C ends it.');
    const url = /Serving on (\S+)\. /.exec(app.output())?.[1] ?? '';
    const [pause = '', resume = ''] = commands.map((text) => text.replaceAll('http://localhost:7071', url));

    const paused = pauseAnswer.parse(JSON.parse((await run('bash', ['-e', '-c', pause])).stdout));
    const resumed = pauseAnswer.parse(JSON.parse((await run('bash', ['-e', '-c', resume])).stdout));

    expect(commands).toHaveLength(2);
    const { why, by } = paused.paused ?? {};
    expect([paused.name, why, by]).toEqual(['patient-registry', 'The registry moves to another host.', 'key-holder']);
    expect(resumed).toEqual({ name: 'patient-registry', paused: null });
  });
});
