import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { discard, redrive } from '../../../src/local/dead-letters/change.js';
import type { Verb } from '../../../src/local/dead-letters/help.js';
import { list } from '../../../src/local/dead-letters/list.js';
import { parseOptions } from '../../../src/local/dead-letters/options.js';
import { exportAll, show } from '../../../src/local/dead-letters/show.js';
import { storageSource } from '../../../src/local/dead-letters/source.js';
import { OptionError } from '../../../src/local/options.js';
import { printableLines } from '../../../src/printable.js';
import { giveUp, openApp } from '../../dead-letters/open-app.js';
import { rawFhirEvent } from '../../testing/raw-events.js';
import { collect } from './collect.js';

const RUNS = { list, show, redrive, discard, export: exportAll };

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ahds-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** An app with two dead letters of one event and an invalid one; `type` runs a verb, and gives what it wrote. */
async function openTool() {
  const app = openApp();
  await app.die({ resourceId: 'secret-marker' });
  await app.deliver({ id: 'secret-marker' });
  // Each wait of the command takes one turn of the event loop.
  const after = (_ms: number, run: () => void) => {
    const immediate = setImmediate(run);
    return () => clearImmediate(immediate);
  };
  const deadLetterStores = { ...app.deadLetterStores, clock: { ...app.clock, after } };
  let opened = 0;
  const [id = ''] = await app.ids({ workflow: 'one' });
  return {
    ...app,
    /** The dead letter of the workflow `one`. */
    id,
    deadLetterStores,
    opened: () => opened,
    async type(verb: Verb, ...args: string[]): Promise<{ code: number; output: string; errors: string }> {
      return typeAt(undefined, verb, ...args);
    },
    typeAt,
  };

  /** Runs a verb, on a terminal if `columns` is given. */
  async function typeAt(columns: number | undefined, verb: Verb, ...args: string[]) {
    const [out, err] = [collect(), collect()];
    const open = async () => {
      opened += 1;
      return storageSource(deadLetterStores);
    };
    const asked = { ...parseOptions(verb, args), signal: new AbortController().signal };
    if (columns !== undefined) Object.assign(out.stream, { isTTY: true, columns });
    const code = await RUNS[verb](asked, open, { out: out.stream, err: err.stream });
    return { code, output: out.text(), errors: err.text() };
  }
}

const DEEP = `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`;
const HOSTILE = '\x1b]52;c;cm0=\x07\x1b[2J\rX\x7f\x9b31m\u202e\u2028\nforged';
const UNPRINTABLE = /(?!\n)[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u;

describe('list', () => {
  it('given dead letters, then it prints a header and aligned columns, the newest first, and no value of a payload', async () => {
    const { type, ids, clock, deliver } = await openTool();
    clock.advance(60_000);
    await deliver({ id: 'newer' });
    const [older, newer] = [await ids({ stage: 'invalid', to: new Date('2026-01-01T12:00:30Z') }), await ids()];
    const [one, two] = [await ids({ workflow: 'one' }), await ids({ workflow: 'two' })];
    const newest = newer.filter((id) => ![...older, ...one, ...two].includes(id));

    const { code, output } = await type('list');

    const rows = [
      ['WRITTEN (UTC)      ', 'REASON       ', 'WORKFLOW', 'EVENT                      ', 'ID'],
      ['2026-01-01 12:01:00', 'invalid      ', '-       ', '-                          ', newest[0]],
    ];
    const lines = output.split('\n');
    expect(code).toBe(0);
    expect(lines.slice(0, 2)).toEqual(rows.map((row) => row.join('  ')));
    expect(lines).toContain(
      ['2026-01-01 12:00:00', 'non-retriable', 'one     ', 'FhirResourceCreated Patient', one[0]].join('  '),
    );
    expect(lines).toContain(
      ['2026-01-01 12:00:00', 'invalid      ', '-       ', '-                          ', older[0]].join('  '),
    );
    expect(lines.slice(5)).toEqual(['4 dead letters', '']);
    expect(output).not.toContain('secret');
  });

  it('given a narrow terminal, then each id has a line of its own', async () => {
    const { typeAt, id } = await openTool();

    const { output } = await typeAt(80, 'list');

    expect(output).toContain(`2026-01-01 12:00:00  non-retriable  one       FhirResourceCreated Patient\n  ${id}\n`);
    for (const line of output.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('given a limit, then the last line says how many of all are listed', async () => {
    const { type } = await openTool();

    const { output } = await type('list', '--limit', '2');

    expect(output).toMatch(/\n2 of 3 dead letters, the newest first\. --limit N lists up to 100000; export /);
    expect(output.split('\n')).toHaveLength(5);
  });

  it('given --json, then each has a line of JSON; given --limit, then only so many, and the note is on standard error', async () => {
    const { type, letters } = await openTool();

    const all = await type('list', '--json');
    const limited = await type('list', '--json', '--limit', '2');

    const read = ({ output }: { output: string }) =>
      output
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
    expect(new Set(read(all).map(({ id }) => id))).toEqual(new Set((await letters()).map(({ id }) => id)));
    expect(read(limited)).toEqual(read(all).slice(0, 2));
    expect({ all: all.errors, limited: limited.errors }).toEqual({
      all: '',
      limited: expect.stringMatching(/^2 of 3 dead letters/),
    });
  });

  it('given --by, then each cause has its count and an example', async () => {
    const { type, ids } = await openTool();
    const [, example] = await ids();

    const { output } = await type('list', '--by', 'stage,error');
    const json = await type('list', '--by', 'stage', '--json', '--stage', 'failed');

    const start = 'DEAD LETTERS  STAGE    ERROR          SINCE (UTC)          EXAMPLE';
    expect(output).toBe(
      `${start}\n2             failed   non-retriable  2026-01-01 12:00:00  ${example}\n` +
        `1             invalid  invalid        2026-01-01 12:00:00  ${(await ids())[0]}\n3 dead letters\n`,
    );
    expect(JSON.parse(json.output)).toMatchObject({ by: { stage: 'failed' }, letters: 2 });
  });

  it('given --resolved, then it lists the id with which a discarded dead letter can be redriven', async () => {
    const { type, rows, id } = await openTool();
    expect((await type('list', '--resolved')).output).toBe('0 resolved dead letters\n');
    await type('discard', id, '--why', 'a test');

    const { output } = await type('list', '--resolved');

    expect(output).toContain(id);
    expect(output).toContain('\n1 resolved dead letter\n');
    expect((await type('redrive', id)).code).toBe(0);
    expect(rows()).toHaveLength(1);
  });

  it.each([
    ['--workflow', 'resource-indexx', "--workflow is 'resource-indexx'", 'Did you mean resource-index?'],
    ['--workflow', 'twoo', "--workflow is 'twoo'", 'Did you mean two?'],
    ['--reason', 'non-retryable', "--reason is 'non-retryable'", 'Did you mean non-retriable?'],
    ['--type', 'FhirResourceUpdate', 'FhirResourceUpdate', 'Did you mean FhirResourceUpdated?'],
  ])(
    'given %s %s, an unknown name, then every verb refuses it and suggests the nearest name',
    async (option, name, ...says) => {
      const { type } = await openTool();

      for (const [verb, ...more] of [
        ['list'],
        ['list', '--by', 'stage'],
        ['export'],
        ['redrive'],
        ['discard', '--why', 'x'],
      ]) {
        const typed = type(verb as Verb, option, name, ...more);

        await expect(typed).rejects.toThrow(OptionError);
        for (const part of says) await expect(typed).rejects.toThrow(part);
      }
    },
  );

  it.each([
    { filter: ['--workflow', 'resource-index'], because: 'the app has it' },
    { filter: ['--workflow', 'two', '--stage', 'crash'], because: 'a pending dead letter names it' },
    { filter: ['--workflow', 'one'], because: 'a resolved dead letter names it' },
    { filter: ['--reason', 'gave-up'], because: 'the app writes it' },
    { filter: ['--error', 'anything'], because: 'errors have no list' },
  ])('given $filter, then it lists nothing and refuses nothing, because $because', async ({ filter }) => {
    const { type, ids } = await openTool();
    await type('discard', ...(await ids({ workflow: 'one' })), '--why', 'a test');

    expect(await type('list', ...filter)).toEqual({ code: 0, output: '0 dead letters\n', errors: '' });
  });
});

describe('show', () => {
  it('given an id, then it prints all but the payload; given --payload, then the payload, too', async () => {
    const { type, id } = await openTool();

    const { code, output } = await type('show', id);
    const payload = await type('show', id, '--payload', '--json');

    expect(code).toBe(0);
    expect(output).toMatch(/^reason +non-retriable$/m);
    expect(output).not.toContain('secret');
    expect(JSON.parse(payload.output)).toMatchObject({ id, payload: rawFhirEvent({ resourceId: 'secret-marker' }) });
  });

  it('given an invalid event, then it prints each wrong path and what is allowed there', async () => {
    const { type, ids } = await openTool();
    const [id = ''] = await ids({ stage: 'invalid' });

    expect((await type('show', id)).output).toMatch(
      /^problems +data is missing, must be an object\n {16}topic is missing/m,
    );
  });

  it('given --out, then only the payload is written, to a file that only its owner can read', async () => {
    const { type, id } = await openTool();
    const file = join(folder, 'event.json');
    writeFileSync(file, 'what was there');
    chmodSync(file, 0o644);

    expect(await type('show', id, '--out', file)).toEqual({ code: 0, output: '', errors: '' });
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(rawFhirEvent({ resourceId: 'secret-marker' }));
    expect(modeOf(file)).toBe('600');
  });

  it('given --out in a folder that does not exist, then the error says so', async () => {
    const { type, id } = await openTool();

    await expect(type('show', id, '--out', join(folder, 'none', 'x'))).rejects.toThrow(/--out: .* \(ENOENT\)/);
  });

  it('given an unknown id, then the exit code is 1', async () => {
    const { type } = await openTool();

    expect(await type('show', 'nonsense')).toEqual({
      code: 1,
      output: '',
      errors: 'No dead letter has this id. Resolved dead letters are kept for RESOLVED_RETENTION_DAYS.\n',
    });
  });
});

const REQUESTED = 'redrive requested (the app runs the job when it next reads its rows, within seconds if it is up).\n';

describe('redrive', () => {
  it('given --all, then each is requested once', async () => {
    const { type, rows } = await openTool();

    const whole = ['redrive', '--all', '--force'] as const;
    expect(await type(...whole, '--dry-run')).toMatchObject({
      code: 0,
      output: `Dry run: nothing was changed. Without the dry run:\n3 dead letters: ${REQUESTED}`,
    });
    expect(rows()).toEqual([]);
    expect(await type(...whole)).toMatchObject({ code: 0, output: `3 dead letters: ${REQUESTED}` });
    expect(rows()).toHaveLength(3);
  });

  it('given a dead letter that is no valid event, then it is refused, and the output names the wrong path', async () => {
    const { type, rows, ids } = await openTool();
    const [id] = await ids({ stage: 'invalid' });

    const { code, output } = await type('redrive', '--stage', 'invalid');

    expect(code).toBe(1);
    expect(output.split('\n').slice(0, 2)).toEqual([
      '1 dead letter: not a valid event (refused: correct the payload, or use force if the app is newer than this version).',
      `${id}: data is missing, must be an object.`,
    ]);
    expect(rows()).toEqual([]);
  });

  it('given --json, then it prints the report with a message', async () => {
    const { type } = await openTool();

    const { output } = await type('redrive', '--workflow', 'one', '--json');

    expect(JSON.parse(output)).toEqual({
      dryRun: false,
      counts: { asked: 1 },
      message: `1 dead letter: ${REQUESTED}`.trimEnd(),
    });
  });

  it('given an unknown id, then the exit code is 1; given a filter that matches nothing, then 0', async () => {
    const { type } = await openTool();

    expect(await type('redrive', 'nonsense')).toMatchObject({
      code: 1,
      output: '1 dead letter: not found (no pending dead letter has this id: it is resolved, or the id is wrong).\n',
    });
    expect(await type('redrive', '--stage', 'crash')).toMatchObject({ code: 0, output: 'No dead letter matches.\n' });
  });

  it('given a corrected payload, then the app runs it; given one that is no event, then the exit code is 1', async () => {
    const { type, ids, runDueRows, runs } = await openTool();
    const [id = ''] = await ids({ workflow: 'two' });
    const file = join(folder, 'event.json');
    writeFileSync(file, JSON.stringify(rawFhirEvent({ resourceId: 'corrected' })));

    expect(await type('redrive', id, '--edit', file)).toMatchObject({ code: 0 });
    await runDueRows();
    expect(runs.at(-1)).toBe('two corrected');

    const wrong = rawFhirEvent();
    writeFileSync(file, JSON.stringify({ ...wrong, data: { ...wrong.data, resourceVersionId: 'secret' } }));
    const [other = ''] = await ids({ workflow: 'one' });
    const { code, output } = await type('redrive', other, '--edit', file);
    expect(code).toBe(1);
    expect(output).toContain('data.resourceVersionId has the wrong type, must be a whole number from 0 to');
    expect(output).not.toContain('secret');
  });

  it.each([
    { ends: () => {}, code: 0, output: '1 dead letter: completed.\n' },
    { ends: giveUp, code: 1, output: '1 dead letter: failed again (a new dead letter holds the error).\n' },
  ])('given --wait, then it prints $output', async ({ ends, code, output }) => {
    const { type, endsAs, rows, runDueRows } = await openTool();
    endsAs(ends);

    const typed = type('redrive', '--workflow', 'one', '--wait');
    while (rows().length === 0) await turnOfLoop();
    await runDueRows();

    expect(await typed).toMatchObject({ code, output });
  });

  it('given --wait and no app, then after 30 s a note says how to check the app, and the command still waits', async () => {
    const { type, deadLetterStores, rows, runDueRows } = await openTool();
    let nowMs = 0;
    Object.assign(deadLetterStores.clock, { monotonic: () => nowMs });

    const typed = type('redrive', '--workflow', 'one', '--wait');
    while (rows().length === 0) await turnOfLoop();
    nowMs = 29_000;
    for (let turn = 0; turn < 50; turn += 1) await turnOfLoop();
    nowMs = 30_001;
    for (let turn = 0; turn < 50; turn += 1) await turnOfLoop();
    await runDueRows();

    const { code, output, errors } = await typed;
    expect({ code, output }).toEqual({ code: 0, output: '1 dead letter: completed.\n' });
    expect(errors.match(/No app has picked up a redrive for 30 s\. .*\/api\/health\/ready.*Ctrl-C/g)).toHaveLength(1);
  });

  it('given Ctrl-C while it waits, then the output says that the redrive stays, and the exit code is 130', async () => {
    const { deadLetterStores, rows } = await openTool();
    const interrupt = new AbortController();
    const [out, err] = [collect(), collect()];

    const typed = redrive(
      { ...parseOptions('redrive', ['--workflow', 'one', '--wait']), signal: interrupt.signal },
      async () => storageSource(deadLetterStores),
      { out: out.stream, err: err.stream },
    );
    while (rows().length === 0) await turnOfLoop();
    interrupt.abort();

    expect(await typed).toBe(130);
    expect(out.text()).toContain('1 dead letter: no outcome yet (the redrive stays in storage');
    expect(out.text()).toContain('Stopped by Ctrl-C. What was requested stays in storage and goes on;');
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
    ['list', '--limit', '100001'],
    ['show'],
    ['show', 'a', 'b'],
    ['show', 'a', '--out', 'event.json'],
    ['export', 'id'],
    ['export', '--out', 'docs/letters.jsonl'],
  ])('given %s %s %s %s, then it is refused before storage is opened', async (verb, ...args) => {
    const { type, opened } = await openTool();

    await expect(type(verb as Verb, ...args)).rejects.toThrow(OptionError);
    expect(opened()).toBe(0);
  });
});

describe('discard', () => {
  it('given a filter and --why, then the matching dead letters are discarded, with the name of the caller', async () => {
    const { type, ids, contentOf } = await openTool();

    expect(await type('discard', '--stage', 'invalid', '--why', 'a test')).toMatchObject({
      code: 0,
      output: '1 dead letter: discarded (moved to resolved/ with the note).\n',
    });

    expect(await ids()).toHaveLength(2);
    expect(await contentOf('resolved/')).toMatchObject({
      discarded: { by: expect.stringMatching(/^command line/), why: 'a test' },
    });
  });
});

describe('export', () => {
  it('given a file, then each dead letter is a line with its payload, and only the owner can read the file', async () => {
    const { type, ids } = await openTool();
    const file = join(folder, 'letters.jsonl');

    expect(await type('export', '--out', file)).toEqual({
      code: 0,
      output: '',
      errors: `3 dead letters exported to ${file}.\n`,
    });

    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    const letters = lines.map((line) => JSON.parse(line) as { id: string; payload: unknown });
    expect(letters.map(({ id }) => id)).toEqual(await ids());
    expect(letters.map(({ payload }) => payload)).toContainEqual({ id: 'secret-marker' });
    expect(modeOf(file)).toBe('600');
    expect((await type('export', '--stage', 'invalid')).output).toBe(`${lines[0]}\n`);
  });
});

describe('when a payload is nested 5,000 levels deep', () => {
  async function openWithDeep() {
    const tool = await openTool();
    await tool.deadLetterStores.undelivered.create(
      'SUB/2026/1/1/1/deep.json',
      `[{"deadLetterReason":"TimeToLiveExceeded","data":${DEEP}}]`,
    );
    await tool.deadLetterStores.blobs.create(
      `pending/failed/2026-01-01/${'d'.repeat(22)}.0.json`,
      `{"stage":"failed","reason":"failed","redrives":0,"error":{"name":"E","code":"c","message":"m"},"event":${DEEP}}`,
    );
    const [undelivered = ''] = await tool.ids({ stage: 'undelivered' });
    return { ...tool, undelivered, own: `failed.2026-01-01.${'d'.repeat(22)}.0` };
  }

  it('then list shows and counts it', async () => {
    const { type } = await openWithDeep();

    expect((await type('list')).output).toContain('\n5 dead letters\n');
    expect((await type('list', '--by', 'stage')).output).toContain('\n5 dead letters\n');
  });

  it('then show prints its payload, and writes it to a file', async () => {
    const { type, undelivered, own } = await openWithDeep();

    for (const id of [undelivered, own]) {
      expect(await type('show', id)).toMatchObject({ code: 0, errors: '' });
      expect((await type('show', id, '--payload')).output).toContain(DEEP);
      expect((await type('show', id, '--payload', '--json')).output).toContain(DEEP);
      expect((await type('show', id, '--out', join(folder, 'x'))).code).toBe(0);
      expect(readFileSync(join(folder, 'x'), 'utf8')).toContain(DEEP);
    }
  });

  it('then export writes it and the others with their payloads', async () => {
    const { type } = await openWithDeep();

    const { code, output } = await type('export');

    const lines = output.trimEnd().split('\n');
    expect({ code, lines: lines.length }).toEqual({ code: 0, lines: 5 });
    expect(lines.filter((line) => line.includes(DEEP))).toHaveLength(2);
    for (const line of lines) expect(JSON.parse(line)).toHaveProperty('payload');
  });

  it('then redrive requests the others, and discard moves all', async () => {
    const { type, own } = await openWithDeep();

    expect((await type('redrive', own)).code).toBe(1);
    const { code, output } = await type('redrive', '--all', '--force');
    expect(code).toBe(1);
    expect(output).toContain(`3 dead letters: ${REQUESTED}`);
    expect(output).toContain('1 dead letter: unreadable (refused');

    expect(await type('discard', '--all', '--why', 'too deep')).toMatchObject({ code: 0 });
    expect((await type('list')).output).toBe('0 dead letters\n');
  });
});

describe('when text in storage would act on the terminal', () => {
  async function openHostile() {
    const tool = await openTool();
    const metadata = { reason: HOSTILE, workflow: HOSTILE, code: HOSTILE, type: HOSTILE, eventid: HOSTILE };
    const stored = {
      stage: 'failed',
      reason: HOSTILE,
      workflow: HOSTILE,
      redrives: 0,
      tries: 1,
      error: { name: HOSTILE, code: HOSTILE, message: HOSTILE },
      problems: [{ path: HOSTILE, code: HOSTILE }],
      discarded: { by: HOSTILE, why: HOSTILE, at: HOSTILE },
      event: rawFhirEvent({ id: HOSTILE }),
    };
    await tool.deadLetterStores.blobs.create(
      `pending/failed/2026-01-01/${'h'.repeat(22)}.0.json`,
      JSON.stringify(stored),
      {
        metadata,
      },
    );
    await tool.deadLetterStores.blobs.create(`pending/failed/${HOSTILE}`, HOSTILE);
    await tool.deadLetterStores.undelivered.create(`SUB/${HOSTILE}.json`, HOSTILE);
    return { ...tool, all: await tool.ids() };
  }

  it('then no verb prints a control character, as text or as JSON', async () => {
    const { typeAt, all } = await openHostile();
    const written: string[] = [];
    const run = async (verb: Verb, ...args: string[]) => {
      for (const columns of [undefined, 60]) {
        const { output, errors } = await typeAt(columns, verb, ...args).catch(({ message }: Error) => ({
          output: '',
          errors: printableLines(message),
        }));
        written.push(output, errors);
      }
    };

    await run('list');
    await run('list', '--json');
    await run('list', '--by', 'stage,reason,workflow,error,type');
    await run('list', '--by', 'reason', '--json');
    for (const id of all) {
      await run('show', id);
      await run('show', id, '--payload');
      await run('show', id, '--payload', '--json');
      await run('redrive', id, '--dry-run');
    }
    await run('export');
    await run('list', '--workflow', HOSTILE.slice(0, 3));
    await run('redrive', '--all', '--json');
    await run('discard', '--all', '--why', HOSTILE);
    await run('list', '--resolved');

    expect(all).toHaveLength(6);
    expect(written.filter((text) => text.includes('\\u001b')).length).toBeGreaterThan(10);
    for (const text of written) {
      expect(text).not.toMatch(UNPRINTABLE);
      expect(text).not.toMatch(/^forged/m);
    }
  });
});

function turnOfLoop(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

function modeOf(file: string): string {
  return (statSync(file).mode & 0o777).toString(8);
}
