import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { discard, redrive } from '../../../src/local/dead-letters/change.js';
import type { Verb } from '../../../src/local/dead-letters/help.js';
import { exportAll, list, show } from '../../../src/local/dead-letters/look.js';
import { OptionError, parseOptions } from '../../../src/local/dead-letters/options.js';
import { createProgress } from '../../../src/local/dead-letters/output.js';
import { giveUp, openDesk } from '../../dead-letters/desk.js';
import { rawFhirEvent } from '../../testing/raw-events.js';

const RUNS = { list, show, redrive, discard, export: exportAll };

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ahds-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A desk with two letters of one event and an invalid one; `type` runs a verb, and gives code and output. */
async function openTool() {
  const desk = openDesk();
  await desk.die({ resourceId: 'secret-marker' });
  await desk.deliver({ id: 'secret-marker' });
  // Waits are over at once; the tool's own turns of the event loop are what is left of them.
  const after = (_ms: number, run: () => void) => {
    const immediate = setImmediate(run);
    return () => clearImmediate(immediate);
  };
  const atDesk = { ...desk.desk, clock: { ...desk.clock, after } };
  let opened = 0;
  return {
    ...desk,
    opened: () => opened,
    async type(verb: Verb, ...args: string[]): Promise<{ code: number; output: string }> {
      let output = '';
      const out = new Writable({
        write(chunk, _encoding, callback) {
          output += chunk;
          callback();
        },
      });
      const open = async () => {
        opened += 1;
        return atDesk;
      };
      const code = await RUNS[verb]({ ...parseOptions(verb, args), signal: new AbortController().signal }, open, out);
      return { code, output };
    },
  };
}

describe('list', () => {
  it('given letters, then a line each, and no value of a payload', async () => {
    const { type, ids } = await openTool();

    const { code, output } = await type('list');

    const lines = output.split('\n');
    expect(code).toBe(0);
    expect(lines[0]).toBe(`2026-01-01T12:00:00Z  ${(await ids())[0]}  invalid  invalid`);
    expect(lines[1]).toMatch(
      / {2}failed\.\S+ {2}non-retriable {2}(one|two) {2}non-retriable {2}FhirResourceCreated Patient$/,
    );
    expect(lines[3]).toBe('3 dead letters');
    expect(output).not.toContain('secret');
  });

  it('given --json, then a line of JSON each; given --limit, then so many', async () => {
    const { type, letters } = await openTool();

    const { output } = await type('list', '--json', '--limit', '2');

    const told = output
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(told).toEqual((await letters()).slice(0, 2));
  });

  it('given --by, then the causes with an example each', async () => {
    const { type, ids } = await openTool();
    const [, example] = await ids();

    const { output } = await type('list', '--by', 'stage,error');
    const json = await type('list', '--by', 'stage', '--json', '--stage', 'failed');

    expect(output).toBe(
      `       2  failed  non-retriable  since 2026-01-01T12:00:00Z, such as ${example}\n` +
        `       1  invalid  invalid  since 2026-01-01T12:00:00Z, such as ${(await ids())[0]}\n3 dead letters\n`,
    );
    expect(JSON.parse(json.output)).toMatchObject({ by: { stage: 'failed' }, letters: 2 });
  });
});

describe('show', () => {
  it('given an id, then all but the payload; given --payload, then that as well', async () => {
    const { type, ids } = await openTool();
    const [id = ''] = await ids({ workflow: 'one' });

    const { code, output } = await type('show', id);
    const payload = await type('show', id, '--payload', '--json');

    expect(code).toBe(0);
    expect(output).toMatch(/^reason +non-retriable$/m);
    expect(output).not.toContain('secret');
    expect(JSON.parse(payload.output)).toMatchObject({ id, payload: rawFhirEvent({ resourceId: 'secret-marker' }) });
  });

  it('given --out, then the payload alone is in the file', async () => {
    const { type, ids } = await openTool();
    const [id = ''] = await ids({ workflow: 'one' });

    expect(await type('show', id, '--out', join(folder, 'event.json'))).toEqual({ code: 0, output: '' });
    expect(JSON.parse(readFileSync(join(folder, 'event.json'), 'utf8'))).toEqual(
      rawFhirEvent({ resourceId: 'secret-marker' }),
    );
  });

  it('given no such id, then 1', async () => {
    const { type } = await openTool();

    expect(await type('show', 'nonsense')).toEqual({ code: 1, output: '' });
  });
});

describe('redrive', () => {
  it('given all, then each is asked for, once', async () => {
    const { type, rows } = await openTool();

    const whole = ['redrive', '--all', '--force'] as const;
    expect(await type(...whole, '--dry-run')).toEqual({ code: 0, output: 'Would be: 3 asked\n' });
    expect(rows()).toEqual([]);
    expect(await type(...whole)).toEqual({ code: 0, output: '3 asked\n' });
    expect(rows()).toHaveLength(3);
  });

  it('given one that is no event to this version, then 1: it is not asked for', async () => {
    const { type, rows } = await openTool();

    expect(await type('redrive', '--stage', 'invalid')).toEqual({ code: 1, output: '1 not-an-event\n' });
    expect(rows()).toEqual([]);
  });

  it('given --json, then the report', async () => {
    const { type } = await openTool();

    const { output } = await type('redrive', '--workflow', 'one', '--json');

    expect(JSON.parse(output)).toEqual({ dryRun: false, counts: { asked: 1 } });
  });

  it('given an id that is none, then 1; given a filter that matches nothing, then 0', async () => {
    const { type } = await openTool();

    expect(await type('redrive', 'nonsense')).toEqual({ code: 1, output: '1 gone\n' });
    expect(await type('redrive', '--workflow', 'three')).toEqual({ code: 0, output: 'none\n' });
  });

  it('given a corrected payload, then that is run; given it is no event, then 1', async () => {
    const { type, ids, runDueRows, runs } = await openTool();
    const [id = ''] = await ids({ workflow: 'two' });
    const file = join(folder, 'event.json');
    writeFileSync(file, JSON.stringify(rawFhirEvent({ resourceId: 'corrected' })));

    expect(await type('redrive', id, '--edit', file)).toEqual({ code: 0, output: '1 asked\n' });
    await runDueRows();
    expect(runs.at(-1)).toBe('two corrected');

    writeFileSync(file, '{}');
    const [other = ''] = await ids({ workflow: 'one' });
    expect(await type('redrive', other, '--edit', file)).toEqual({ code: 1, output: '1 not-an-event\n' });
  });

  it.each([
    { ends: () => {}, code: 0, output: '1 completed\n' },
    { ends: giveUp, code: 1, output: '1 dead\n' },
  ])('given --wait, then $output', async ({ ends, code, output }) => {
    const { type, endsAs, rows, runDueRows } = await openTool();
    endsAs(ends);

    const typed = type('redrive', '--workflow', 'one', '--wait');
    while (rows().length === 0) await new Promise<void>((resolve) => void setImmediate(resolve));
    await runDueRows();

    expect(await typed).toEqual({ code, output });
  });

  it.each([
    ['redrive'],
    ['redrive', 'id', '--all'],
    ['redrive', 'id', '--workflow', 'one'],
    ['redrive', '--all', '--edit', 'file'],
    ['redrive', '--all', '--rate', '0'],
    ['redrive', '--all', '--stop-after', '2'],
    ['redrive', 'id', '--edit', 'no-such-file'],
    ['discard', '--all'],
    ['discard', '--why', 'x'],
    ['list', 'id'],
    ['list', '--by', 'payload'],
    ['show'],
    ['show', 'a', 'b'],
    ['export', 'id'],
  ])('given %s %s %s %s, then it is refused before storage is asked', async (verb, ...args) => {
    const { type, opened } = await openTool();

    await expect(type(verb as Verb, ...args)).rejects.toThrow(OptionError);
    expect(opened()).toBe(0);
  });
});

describe('discard', () => {
  it('given which and why, then those are put away, with who runs it', async () => {
    const { type, ids, contentOf } = await openTool();

    expect(await type('discard', '--stage', 'invalid', '--why', 'a test')).toEqual({
      code: 0,
      output: '1 discarded\n',
    });

    expect(await ids()).toHaveLength(2);
    expect(await contentOf('resolved/')).toMatchObject({
      discarded: { by: expect.stringMatching(/^command line/), why: 'a test' },
    });
  });
});

describe('export', () => {
  it('given a file, then each letter with its payload is a line of it', async () => {
    const { type, ids } = await openTool();

    expect(await type('export', '--out', join(folder, 'letters.jsonl'))).toEqual({ code: 0, output: '' });

    const lines = readFileSync(join(folder, 'letters.jsonl'), 'utf8').trimEnd().split('\n');
    const letters = lines.map((line) => JSON.parse(line) as { id: string; payload: unknown });
    expect(letters.map(({ id }) => id)).toEqual(await ids());
    expect(letters.map(({ payload }) => payload)).toContainEqual({ id: 'secret-marker' });
    expect((await type('export', '--stage', 'invalid')).output).toBe(`${lines[0]}\n`);
  });
});

describe('the progress', () => {
  it('given a terminal, then a bar that is drawn anew, and nothing is left of it', () => {
    const written: string[] = [];
    const progress = createProgress({ isTTY: true, write: (text) => written.push(text) }, 4, () => 0);

    progress.show({ asked: 1, gone: 1 });
    progress.end();

    expect(written).toEqual([`\r\x1b[K[${'#'.repeat(15)}${'.'.repeat(15)}] 2/4 1 asked, 1 gone`, '\r\x1b[K']);
  });

  it('given no terminal, then a line every 5 s', () => {
    const written: string[] = [];
    let nowMs = 0;
    const progress = createProgress({ write: (text) => written.push(text) }, undefined, () => nowMs);

    for (; nowMs < 11_000; nowMs += 1000) progress.show({ asked: nowMs / 1000 });
    progress.end();

    expect(written).toEqual(['5: 5 asked\n', '10: 10 asked\n']);
  });
});
