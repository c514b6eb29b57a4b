/**
 * Control characters (C0, DEL, C1), invisible characters (also those that change the direction of text), separators.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
const SHORT: Readonly<Record<string, string>> = { '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Returns text from storage or outside in a form that is safe in a terminal. A character that moves the cursor, changes
 * colours or writes to the clipboard becomes its JSON escape, `\u001b`. JSON keeps its meaning.
 */
export function printable(text: string): string {
  return text.replaceAll(UNSAFE, escapeOf);
}

/** As `printable`, for text with several lines: line ends stay. */
export function printableLines(text: string): string {
  return text.replaceAll(UNSAFE, (character) => (character === '\n' ? character : escapeOf(character)));
}

function escapeOf(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at));
  return SHORT[character] ?? units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}
