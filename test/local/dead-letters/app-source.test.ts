import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAppClient } from '../../../src/local/app-client.js';
import { appSource } from '../../../src/local/dead-letters/app-source.js';
import { discard, redrive } from '../../../src/local/dead-letters/change.js';
import type { Verb } from '../../../src/local/dead-letters/help.js';
import { list } from '../../../src/local/dead-letters/list.js';
import { parseOptions } from '../../../src/local/dead-letters/options.js';
import { exportAll, show } from '../../../src/local/dead-letters/show.js';
import { storageSource } from '../../../src/local/dead-letters/source.js';
import { openApp } from '../../dead-letters/open-app.js';
import { PERSON, SIGN_IN } from '../../functions/principal.js';
import { rawFhirEvent } from '../../testing/raw-events.js';
import { startPlatform } from '../platform.js';
import { collect } from './collect.js';

const RUNS = { list, show, redrive, discard, export: exportAll };

let platform: Awaited<ReturnType<typeof startPlatform>> | undefined;
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ahds-'));
});
afterEach(async () => {
  await platform?.close();
  rmSync(folder, { recursive: true });
});

/** An app with two dead letters of one event and an invalid one. `type` runs a verb over HTTP, `atStorage` on storage. */
async function open({ role = 'Operator' }: { role?: string } = {}) {
  const app = openApp(SIGN_IN);
  await app.die({ resourceId: 'secret-marker' });
  await app.deliver({ id: 'secret-marker' });
  platform = await startPlatform(app.app);
  // Waits of the command are over at once.
  const after = (_ms: number, run: () => void) => {
    const immediate = setImmediate(run);
    return () => clearImmediate(immediate);
  };
  const stores = { ...app.deadLetterStores, clock: { ...app.clock, after } };
  const client = createAppClient(platform.url, async () => ({
    authorization: `Bearer ${role}`,
    'x-ms-client-principal': 'forged',
  }));
  const signal = new AbortController();
  const run = async (isOverHttp: boolean, verb: Verb, ...args: string[]) => {
    const [out, err] = [collect(), collect()];
    const asked = { ...parseOptions(verb, args), signal: signal.signal };
    const source = async () => (isOverHttp ? appSource(client, asked.values) : storageSource(stores));
    const code = await RUNS[verb](asked, source, { out: out.stream, err: err.stream });
    return { code, output: out.text(), errors: err.text() };
  };
  const [id = ''] = await app.ids({ workflow: 'one' });
  return {
    ...app,
    id,
    asked: platform.asked,
    interrupt: () => signal.abort(),
    type: (verb: Verb, ...args: string[]) => run(true, verb, ...args),
    atStorage: (verb: Verb, ...args: string[]) => run(false, verb, ...args),
  };
}

describe('when a verb works on an app over HTTP', () => {
  it.each([
    [['list']],
    [['list', '--json']],
    [['list', '--limit', '2', '--json']],
    [['list', '--workflow', 'one', '--from', '2026-01-01', '--to', '2026-01-01']],
    [['list', '--by', 'stage,error']],
    [['list', '--by', 'stage', '--json', '--limit', '2']],
    [['list', '--resolved']],
    [['list', '--reason', 'gave-up']],
    [['show', 'ID']],
    [['show', 'ID', '--json']],
    [['show', 'ID', '--payload', '--json']],
    [['show', 'gone']],
    [['export']],
    [['export', '--stage', 'invalid']],
    [['redrive', '--all', '--dry-run']],
    [['redrive', 'gone', '--json']],
    [['discard', '--stage', 'failed', '--why', 'x', '--dry-run', '--json']],
  ] as [Verb, ...string[]][][])(
    'given %j, then output and exit code are the same as on storage',
    async ([verb, ...args]) => {
      const { id, type, atStorage } = await open();
      const typed = args.map((arg) => (arg === 'ID' ? id : arg));

      expect(await type(verb, ...typed)).toEqual(await atStorage(verb, ...typed));
    },
  );

  it('given a redrive of all, then the app has a row for each, and its log names the person', async () => {
    const { type, rows, lines } = await open();

    const { code, output } = await type('redrive', '--stage', 'failed');

    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('2 dead letters: redrive requested') });
    expect(rows()).toHaveLength(2);
    expect(lines.at(-1)).toBe(`info {"what":"letters-redriven","by":"${PERSON}","numbers":{"asked":2}}`);
  });

  it('given a corrected event, then the app runs that event, and refuses one with another id', async () => {
    const { id, type, rows } = await open();
    const file = join(folder, 'event.json');
    writeFileSync(file, JSON.stringify(rawFhirEvent({ resourceId: 'corrected' })));

    expect((await type('redrive', id, '--edit', file)).code).toBe(0);
    expect(JSON.stringify(rows())).toContain('corrected');
    writeFileSync(file, JSON.stringify(rawFhirEvent({ id: 'other' })));
    expect((await type('redrive', id, '--edit', file)).code).toBe(1);
  });

  it('given more ids than a batch holds, then the counts are of all, and Ctrl-C ends the command between two batches', async () => {
    const { type, deliver, asked, interrupt } = await open();
    await deliver(...Array.from({ length: 150 }, (_, n) => ({ id: `n-${n}` })));
    await deliver(...Array.from({ length: 150 }, (_, n) => ({ id: `n-${n}`, extra: n })));

    const { output } = await type('discard', ...Array.from({ length: 250 }, (_, n) => `gone-${n}`), '--why', 'x');
    const posts = asked.filter((one) => one === 'POST /api/dead-letters/discard').length;
    interrupt();
    const { code } = await type('discard', '--all', '--why', 'x');

    expect(output).toContain('250 dead letters: not found');
    expect([posts, code]).toEqual([3, 130]);
  });

  it('given an unknown name, then the error names the option, as on storage', async () => {
    const { type, atStorage } = await open();
    const messageOf = (run: typeof type, ...args: string[]) =>
      run('list', ...args).catch((error: Error) => `${error.name}: ${error.message.split(' Known: ')[0]}`);

    for (const args of [
      ['--workflow', 'twoo'],
      ['--type', 'FhirResourceUpdate'],
    ]) {
      expect(await messageOf(type, ...args)).toBe(await messageOf(atStorage, ...args));
    }
  });

  it.each([['--wait'], ['--stop-after', '20%'], ['--at-once', '5'], ['--rate', '5']])(
    'given %s, which does not go with --app, then the command refuses the option',
    async (...option) => {
      const { type, asked } = await open();

      await expect(type('redrive', '--all', ...option)).rejects.toThrow(`${option[0]} does not go with --app`);
      expect(asked).toEqual([]);
    },
  );

  it('given a Reader, then lists are shown, and refusals of changes and payloads name the missing role', async () => {
    const { type, id, rows } = await open({ role: 'Reader' });

    expect((await type('list')).code).toBe(0);
    expect((await type('show', id)).code).toBe(0);
    await expect(type('show', id, '--payload')).rejects.toThrow('app role Operator');
    await expect(type('redrive', id)).rejects.toThrow('app role Operator');
    expect(rows()).toEqual([]);
  });

  it('given a forged header beside an invalid token, then nobody is let in', async () => {
    const { type } = await open({ role: '-' });

    await expect(type('list')).rejects.toThrow('Sign in');
  });
});
