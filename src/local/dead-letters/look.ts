import { createWriteStream, writeFileSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { groupLetters } from '../../dead-letters/group.js';
import { lettersOf } from '../../dead-letters/list.js';
import { showLetter } from '../../dead-letters/show.js';
import type { Open } from './connect.js';
import { filterOf, groupingsOf, numberOf, OptionError, pathOf, textOf, type Values } from './options.js';
import { lineOfGroup, lineOfLetter, writeTo } from './output.js';

type Asked = { readonly values: Values; readonly ids: readonly string[] };

const MOST = 10_000_000;

export async function list({ values, ids }: Asked, open: Open, out: Writable): Promise<number> {
  if (ids.length > 0) throw new OptionError(`list takes no id: show ${ids[0]} tells of one.`);
  const filter = filterOf(values);
  const limit = Math.floor(numberOf(values, 'limit', { from: 1, to: MOST }) ?? MOST);
  const by = groupingsOf(values);
  const letters = lettersOf(await open(), filter);
  if (by) {
    const { groups, ...all } = await groupLetters(letters, by, limit);
    for (const group of groups) await writeTo(out, values.json ? `${JSON.stringify(group)}\n` : lineOfGroup(group));
    if (!values.json) await writeTo(out, `${all.letters} dead letters${all.isMore ? ', and more' : ''}\n`);
    return 0;
  }
  let shown = 0;
  for await (const letter of letters) {
    await writeTo(out, values.json ? `${JSON.stringify(letter)}\n` : lineOfLetter(letter));
    shown += 1;
    if (shown >= limit) break;
  }
  if (!values.json) await writeTo(out, `${shown} dead letters\n`);
  return 0;
}

export async function show({ values, ids }: Asked, open: Open, out: Writable): Promise<number> {
  const [id] = ids;
  if (id === undefined || ids.length > 1) throw new OptionError('show takes one id; list shows them.');
  const found = await showLetter(id, await open());
  if (!found) {
    process.stderr.write('There is no dead letter of this id.\n');
    return 1;
  }
  const file = textOf(values, 'out');
  if (file !== undefined) {
    writeFileSync(pathOf(file), `${JSON.stringify(found.payload, undefined, 2)}\n`);
    return 0;
  }
  const told = values.payload ? { ...found.shown, payload: found.payload } : found.shown;
  const lines = Object.entries(told).map(([name, value]) => `${name.padEnd(15)} ${textFor(value)}\n`);
  await writeTo(out, values.json ? `${JSON.stringify(told, undefined, 2)}\n` : lines.join(''));
  return 0;
}

/** Reads one after another: nobody waits for it, and each may be large. */
export async function exportAll({ values, ids }: Asked, open: Open, standard: Writable): Promise<number> {
  if (ids.length > 0) throw new OptionError('export takes no id: show --payload shows one.');
  const filter = filterOf(values);
  const file = textOf(values, 'out');
  const desk = await open();
  const out = file === undefined ? standard : createWriteStream(pathOf(file));
  for await (const { id } of lettersOf(desk, filter)) {
    const found = await showLetter(id, desk);
    if (found) await writeTo(out, `${JSON.stringify({ ...found.shown, payload: found.payload })}\n`);
  }
  if (out !== standard) await finished(out.end());
  return 0;
}

function textFor(value: unknown): string {
  if (typeof value === 'string') return value === '' ? '-' : value;
  return JSON.stringify(value, undefined, typeof value === 'object' ? 2 : undefined);
}
