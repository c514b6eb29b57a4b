import { Writable } from 'node:stream';

/** Returns a stream, and the text that was written to it. Calls `onWrite` after each write. */
export function collect(onWrite = () => {}) {
  let text = '';
  const stream = new Writable({
    write(chunk, _encoding, callback) {
      text += chunk;
      onWrite();
      callback();
    },
  });
  return { stream, text: () => text };
}
