/** Control characters (C0, DEL, C1), what turns the direction of text, and the separators of lines and paragraphs. */
const UNSAFE = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu;
const SHORT: Readonly<Record<string, string>> = { '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Text from storage or from outside, as a terminal can show it: a character that moves the cursor, changes colours or
 * writes to the clipboard is shown as its JSON escape, `\u001b`. JSON stays JSON of the same meaning.
 */
export function printable(text: string): string {
  return text.replaceAll(UNSAFE, escapeOf);
}

/** The same for text that is several lines: the ends of lines stay. */
export function printableLines(text: string): string {
  return text.replaceAll(UNSAFE, (character) => (character === '\n' ? character : escapeOf(character)));
}

function escapeOf(character: string): string {
  return SHORT[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
