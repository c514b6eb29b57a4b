/** Matches strings in double quotes and, captured, in single quotes; comments; NaN and Infinity. */
const TOKEN =
  /"(?:[^"\\]|\\[\s\S])*"|'((?:[^'\\]|\\[\s\S])*)'|\/\*[\s\S]*?\*\/|\/\/[^\r\n]*|(?:-|\b)(?:NaN|Infinity)\b/g;

/**
 * Returns `text` as strict JSON. The parser of the real host (Newtonsoft) also accepts comments, strings in single quotes,
 * and NaN and Infinity, which a function gets as strings.
 */
export function toStrictJson(text: string): string {
  return text.replace(TOKEN, (token, singleQuoted?: string) => {
    if (singleQuoted !== undefined) return `"${singleQuoted.replace(/\\[\s\S]|"/g, requote)}"`;
    if (token.startsWith('"')) return token;
    return token.startsWith('/') ? ' ' : `"${token}"`;
  });
}

function requote(part: string): string {
  if (part === '"') return '\\"';
  return part === "\\'" ? "'" : part;
}
