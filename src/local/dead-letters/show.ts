import { NO_SUCH_DEAD_LETTER } from '../../dead-letters/report-text.js';
import type { Shown } from '../../dead-letters/show.js';
import { toJson } from '../../json-text.js';
import { printable } from '../../printable.js';
import { OptionError } from '../options.js';
import { type Output, writeTo } from '../output.js';
import type { Open } from './connect.js';
import { openOut, outPathOf } from './files.js';
import { filterOf, type VerbArguments } from './options.js';
import { countText } from './output.js';

const NAME_WIDTH = 16;

/**
 * Writes one dead letter, or its payload to the file of --out. Returns the exit code: 1 if no dead letter has this id.
 */
export async function show({ values, ids }: VerbArguments, open: Open, { out, err }: Output): Promise<number> {
  const [id] = ids;
  if (id === undefined || ids.length > 1)
    throw new OptionError(`show takes one id, found ${ids.length}. list shows ids.`);
  const path = outPathOf(values);
  const source = await open();
  const found = await source.show(id, values.payload === true || path !== undefined);
  if (!found) {
    await writeTo(err, `${NO_SUCH_DEAD_LETTER}\n`);
    return 1;
  }
  if (path !== undefined) {
    const file = openOut(path);
    file.write(`${indented(found.payload)}\n`);
    file.close();
    return 0;
  }
  const { shown, ...clinical } = found;
  const printed = values.payload ? { ...shown, ...clinical } : shown;
  await writeTo(out, values.json ? `${indented(printed)}\n` : linesOf(printed));
  return 0;
}

/** Writes the pending dead letters with their payloads. Reads one at a time, because each may be large. Returns 0. */
export async function exportAll({ values, ids }: VerbArguments, open: Open, { out, err }: Output): Promise<number> {
  if (ids.length > 0) throw new OptionError(`export takes no id. Use show ${ids[0]} --payload for one dead letter.`);
  const filter = filterOf(values);
  const path = outPathOf(values);
  const source = await open();
  const file = path === undefined ? undefined : openOut(path);
  let written = 0;
  for await (const { id } of source.list(filter)) {
    const found = await source.show(id, true);
    if (!found) continue; // resolved meanwhile
    const { shown, ...clinical } = found;
    const line = `${toJson({ ...shown, ...clinical })}\n`;
    if (file) file.write(line);
    else await writeTo(out, line);
    written += 1;
  }
  file?.close();
  if (written === 0) await source.refuseUnknownNames(filter);
  if (file) await writeTo(err, `${countText(written, written)} exported to ${path}.\n`);
  return 0;
}

/** Returns indented JSON; one line for a value that is nested too deeply for JSON.stringify. */
function indented(value: unknown): string {
  try {
    return JSON.stringify(value, undefined, 2);
  } catch (error) {
    if (error instanceof RangeError) return toJson(value);
    throw error;
  }
}

function linesOf(shown: Shown & { payload?: unknown }): string {
  return Object.entries(shown)
    .map(([name, value]) => `${name.padEnd(NAME_WIDTH)}${textFor(name, value)}\n`)
    .join('');
}

function textFor(name: string, value: unknown): string {
  if (typeof value === 'string') return value === '' ? '-' : printable(value);
  if (name === 'problems')
    return (value as NonNullable<Shown['problems']>)
      .map(({ message }) => printable(message))
      .join(`\n${' '.repeat(NAME_WIDTH)}`);
  return typeof value === 'object' ? indented(value) : String(value);
}
