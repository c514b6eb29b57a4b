import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { StartError } from '../../../src/local/host/start-error.js';
import { buildUi } from '../../../src/local/ui/build-ui.js';

const MAX_BYTES = 120 * 1024;

let folder = '';
let inputs: readonly string[] = [];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ahds-ui-'));
  inputs = await buildUi(process.cwd(), folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('when the page is built', () => {
  it('given all of its files, then they are small, and each has a hash in its name', () => {
    const names = readdirSync(folder);
    const gzipped = names.filter((name) => name.endsWith('.gz') || name.endsWith('.dcm'));

    const bytes = gzipped.reduce((sum, name) => sum + contentOf(name).length, 0);

    expect(bytes).toBeLessThanOrEqual(MAX_BYTES);
    expect(names.filter((name) => !/^(page|sample-image)-[0-9A-Z]{8}\.(js|css|dcm)(\.gz|\.br)?$/.test(name))).toEqual([
      'index.html',
      'index.html.br',
      'index.html.gz',
    ]);
  });

  it('given compressed files, then each has the content of the file beside it', () => {
    for (const name of readdirSync(folder).filter((one) => one.endsWith('.gz'))) {
      const plain = name.replace(/\.gz$/, '');
      expect(gunzipSync(contentOf(name)).equals(contentOf(plain))).toBe(true);
      expect(brotliDecompressSync(contentOf(`${plain}.br`)).equals(contentOf(plain))).toBe(true);
    }
  });

  it('given the index, then it names the built files, and has neither inline scripts nor inline styles', () => {
    const index = contentOf('index.html').toString();

    const named = [...index.matchAll(/\/api\/ui\/([^"]+)"/g)].map(([, name]) => name);

    expect(named.sort()).toEqual(readdirSync(folder).filter((name) => /\.(js|css)$/.test(name)));
    expect(index).not.toMatch(/style=|<style|<script(?! type="module" src=)|\son\w+=/);
  });

  it('given the bundle, then it holds no schema library, and the types of the API only', () => {
    expect(inputs.filter((path) => /node_modules\/zod|^src\/(?!ui\/|json-place\.ts)/.test(path))).toEqual([]);
    expect(
      [...new Set(inputs.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []))].sort(),
    ).toEqual(['@preact/signals', '@preact/signals-core', 'preact', 'uplot']);
  });

  it('given a project without a page, then a StartError is thrown, and the built page stays', async () => {
    await expect(buildUi(tmpdir(), folder)).rejects.toThrow(StartError);

    expect(readdirSync(folder)).toContain('index.html');
  });
});

function contentOf(name: string): Buffer {
  return readFileSync(join(folder, name));
}
