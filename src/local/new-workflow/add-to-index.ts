import { identifierOf } from './templates.js';

const LIST = /export const workflows([^=]*)= \[([^\]]*)\];/;
const MAX_LINE_LENGTH = 120;

/**
 * Returns the text of index.ts with one more workflow, formatted as the project is; undefined if the text has no list.
 */
export function addToIndex(text: string, name: string): string | undefined {
  if (!LIST.test(text)) return undefined;
  const identifier = identifierOf(name);
  return addImport(text, `import { ${identifier} } from './${name}.js';`).replace(
    LIST,
    (_, type: string, list: string) => {
      const all = [...list.split(','), identifier].map((one) => one.trim()).filter((one) => one !== '');
      const line = `export const workflows${type}= [${all.join(', ')}];`;
      if (line.length <= MAX_LINE_LENGTH) return line;
      return `export const workflows${type}= [\n${all.map((one) => `  ${one},\n`).join('')}];`;
    },
  );
}

/** Inserts the import in alphabetical order. */
function addImport(text: string, added: string): string {
  const lines = text.split('\n');
  const place = (line: string) => line.match(/from '(\.[^']*)'/)?.[1];
  const imports = lines.flatMap((line, at) => (line.startsWith('import ') ? [{ line, at }] : []));
  const next = imports.find(({ line }) => place(line)?.startsWith('./') && (place(line) ?? '') > (place(added) ?? ''));
  lines.splice(next?.at ?? (imports.at(-1)?.at ?? -1) + 1, 0, added);
  return lines.join('\n');
}
