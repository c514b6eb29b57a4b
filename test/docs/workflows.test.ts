import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from '../local/eventually.js';
import { projectCopy } from '../local/project-copy.js';
import { startProcess, type TestProcess } from '../local/test-process.js';

const run = promisify(execFile);
const page = readFileSync('docs/workflows.md', 'utf8');
const blocks = [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)].map(([, language = '', text = '']) => ({
  language,
  text,
}));
const files = blocks.flatMap(({ language, text }) => {
  const [, path = ''] = /^\/\/ (\S+)\n/.exec(text) ?? [];
  return language === 'ts' ? [{ path, content: text.slice(text.indexOf('\n') + 1) }] : [];
});
const curls = blocks
  .filter(({ language, text }) => language === 'sh' && text.startsWith('curl'))
  .map(({ text }) => text);

const project = projectCopy();
let app: TestProcess | undefined;
afterAll(() => app?.kill());

describe('when a reader follows docs/workflows.md', () => {
  it('given the page, then its code names the files, and each step has a command', () => {
    expect(files.map(({ path }) => path)).toEqual([
      'src/workflows/glucose-trend.ts',
      'test/workflows/glucose-trend.test.ts',
    ]);
    expect(curls).toHaveLength(2);
    for (const command of [
      'npm run new:workflow -- Observation glucose-trend',
      'npm run check',
      'npm start -- --no-demo',
    ])
      expect(page).toContain(command);
  });

  it('given the steps, then the tests of the generated workflow and of the finished workflow pass', () => {
    const generated = project.run(['src/local/new-workflow/main.ts', 'Observation', 'glucose-trend']);
    expect(generated).toMatchObject({ status: 0, stderr: '' });
    expect(project.test()).toEqual({ passed: 4, failed: 0 });

    for (const { path, content } of files) writeFileSync(join(project.path(), path), content);

    expect(project.test()).toEqual({ passed: 5, failed: 0 });
    expect(project.check(files.map(({ path }) => path))).toBe('');
  });

  it('given the running app, then it answers as the page says', async () => {
    const storage = { EventStorage: '', AzureWebJobsStorage: '', LOOKUPS: 'on' };
    const start = relative('.', join(project.path(), 'src/local/start.ts'));
    app = startProcess(start, ['--no-demo', '--port', '0'], { env: storage, cwd: project.path() });
    await app.printed('Ctrl-C ends it.');
    const url = /Serving on (\S+)\. /.exec(app.output())?.[1] ?? '';
    const [store = '', look = ''] = curls.map((text) => text.replaceAll('http://localhost:7071', url));
    const [ask = ''] = /curl \S+ \S+lookups[\s\S]*/.exec(store) ?? [];

    await run('bash', ['-e', '-c', store]);
    const result = await eventually(async () => {
      const { stdout } = await run('bash', ['-e', '-c', ask]);
      return stdout.includes('104') ? stdout : undefined;
    });
    const { stdout: eventsAndStats } = await run('bash', ['-e', '-c', look]);

    expect(JSON.parse(result)).toEqual({ results: [{ at: '2026-03-01T08:00:00Z', value: 104 }] });
    expect(eventsAndStats).toContain('Microsoft.HealthcareApis.FhirResourceCreated');
    expect(eventsAndStats).toContain('jobsCompleted');
  });
});
