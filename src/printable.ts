/** Control characters (C0, DEL, C1), characters that change the direction of text, line and paragraph separators. */
const UNSAFE = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu;
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
  return SHORT[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
