/** Strings in double quotes and, captured, in single quotes; comments; numbers that JSON has no word for. */
const TOKEN =
  /"(?:[^"\\]|\\[\s\S])*"|'((?:[^'\\]|\\[\s\S])*)'|\/\*[\s\S]*?\*\/|\/\/[^\r\n]*|(?:-|\b)(?:NaN|Infinity)\b/g;

/**
 * `text` as strict JSON, where `text` uses what the parser of the real host (Newtonsoft) accepts beyond JSON: comments,
 * strings in single quotes, and NaN and Infinity, which a function gets as strings.
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
