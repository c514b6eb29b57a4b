import { deflateRawSync } from 'node:zlib';

/** The sizes of a file's two headers, and of the archive's end. */
const HEADERS_BYTES = 30 + 46;
const END_BYTES = 22;

export type File = { readonly name: string; readonly content: Buffer };

/** Returns the size of a zip archive of `files` in bytes. A file is deflated where that makes it smaller. */
export function zippedSize(files: readonly File[]): number {
  return files.reduce((sum, { name, content }) => {
    const data = Math.min(content.length, deflateRawSync(content).length);
    return sum + HEADERS_BYTES + 2 * Buffer.byteLength(name) + data; // both headers hold the name
  }, END_BYTES);
}
