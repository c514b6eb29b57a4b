import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { registerUi } from '../../src/functions/ui.js';
import { createFakeFunctions } from './fake-functions.js';

type Answer = { status?: number; body?: Buffer; headers: Record<string, string>; jsonBody?: unknown };

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ahds-page-'));
  for (const name of ['index.html', 'page-ABCDEFGH.js']) {
    for (const kind of ['', '.br', '.gz']) writeFileSync(join(folder, name + kind), `${name}${kind}`);
  }
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('when the page is asked for', () => {
  it.each([undefined, '', 'index.html'])(
    'given the path %p, then it answers the index, which is checked again each time',
    async (path) => {
      const { body, headers } = await get(path);

      expect(String(body)).toBe('index.html');
      expect(headers).toMatchObject({
        'Content-Type': 'text/html; charset=utf-8',
        'Cache-Control': 'no-cache',
        ETag: expect.stringMatching(/^"[\w-]+"$/),
        'X-Content-Type-Options': 'nosniff',
        'Referrer-Policy': 'no-referrer',
        Vary: 'Accept-Encoding',
      });
      expect(headers['Content-Security-Policy']).toBe(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
      );
      expect(headers).not.toHaveProperty('Set-Cookie');
    },
  );

  it('given a file with a hash in its name, then it may be kept for ever', async () => {
    const { body, headers } = await get('page-ABCDEFGH.js');

    expect(String(body)).toBe('page-ABCDEFGH.js');
    expect(headers['Cache-Control']).toBe('public, max-age=31536000, immutable');
    expect(headers['Content-Type']).toBe('text/javascript; charset=utf-8');
  });

  it.each([
    ['gzip, deflate, br, zstd', '.br', 'br'],
    ['gzip', '.gz', 'gzip'],
    ['br;q=0, gzip;q=0.5', '.gz', 'gzip'],
    ['identity', '', undefined],
    ['', '', undefined],
  ])('given Accept-Encoding %p, then it answers the file with the ending %p', async (accepted, ending, encoding) => {
    const { body, headers } = await get('', { 'accept-encoding': accepted });

    expect(String(body)).toBe(`index.html${ending}`);
    expect(headers['Content-Encoding']).toBe(encoding);
  });

  it('given the browser has the same index, then the answer is 304 without content', async () => {
    const { headers } = await get('');

    const again = await get('', { 'if-none-match': `W/"x", ${headers.ETag}` });

    expect(again).toMatchObject({ status: 304, headers: { ETag: headers.ETag } });
    expect(again.body).toBeUndefined();
  });

  it.each(['page-ABCDEFGH.js.gz', 'other.js', '../package.json', 'toString', '__proto__'])(
    'given %p, which the page does not have, then it answers 404',
    async (path) => {
      expect(await get(path)).toMatchObject({ status: 404, jsonBody: { error: { code: 'no-such-file' } } });
    },
  );

  it('given the page is not built, then it says how to build it', async () => {
    const functions = createFakeFunctions();
    registerUi(functions.app, pathToFileURL(join(folder, 'absent/')));

    const answer = await functions.call('ui', { params: {}, headers: new Headers() });

    expect(answer).toMatchObject({ status: 404, jsonBody: { error: { code: 'page-not-built' } } });
  });
});

async function get(path: string | undefined, headers: Record<string, string> = {}): Promise<Answer> {
  const functions = createFakeFunctions();
  registerUi(functions.app, pathToFileURL(`${folder}/`));
  return (await functions.call('ui', { params: { path }, headers: new Headers(headers) })) as Answer;
}
