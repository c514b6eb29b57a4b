import { Writable } from 'node:stream';

/** Returns a stream, and the text that was written to it. */
export function collect() {
  let text = '';
  const stream = new Writable({
    write(chunk, _encoding, callback) {
      text += chunk;
      callback();
    },
  });
  return { stream, text: () => text };
}
