import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const pages = [
  ...['.', 'docs', 'docs/deploy', 'infra', 'infra/hooks', 'bench'].flatMap((folder) =>
    readdirSync(folder)
      .filter((file) => file.endsWith('.md'))
      .map((file) => join(folder, file)),
  ),
  ...readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('README.md'))
    .map((file) => join('src', file)),
];
const LINK = /\]\(([^)#\s]*)(?:#([^)\s]*))?\)/g;
const links = pages.flatMap((page) =>
  [...withoutCode(readFileSync(page, 'utf8')).matchAll(LINK)]
    .map(([, to = '', anchor]) => ({ page, to: to === '' ? page : join(dirname(page), to), anchor, raw: to }))
    .filter(({ raw }) => !/^[a-z]+:/.test(raw)),
);

describe('when a reader follows a link', () => {
  it('given all pages, then they have more than 150 links', () => {
    expect(links.length).toBeGreaterThan(150);
  });

  it('given a link to a file, then the file exists', () => {
    expect(links.filter(({ to }) => !existsSync(to))).toEqual([]);
  });

  it('given a link to a part of a page, then the page has this heading', () => {
    const wrong = links.filter(({ to, anchor }) => anchor !== undefined && !anchorsOf(to).includes(anchor));

    expect(wrong).toEqual([]);
  });

  it('given a file that a README in src names, then the file is in its folder, or at this path', () => {
    const readmes = pages.filter((page) => page.startsWith('src'));
    const wrong = readmes.flatMap((page) => {
      const inside = readdirSync(dirname(page), { recursive: true, encoding: 'utf8' });
      const named = [...readFileSync(page, 'utf8').matchAll(/`([\w./-]+\.ts)`/g)].map(([, file = '']) => file);
      const isThere = (file: string) => existsSync(file) || inside.some((path) => `/${path}`.endsWith(`/${file}`));
      return named.filter((file) => !isThere(file)).map((file) => ({ page, file }));
    });

    expect(wrong).toEqual([]);
  });

  it.each([
    { index: 'docs/README.md', folder: 'docs', prefix: '' },
    { index: 'docs/deploy.md', folder: 'docs/deploy', prefix: 'deploy/' },
  ])('given $index, then it links to every page of $folder', ({ index, folder, prefix }) => {
    const text = readFileSync(index, 'utf8');

    for (const page of readdirSync(folder).filter((file) => file.endsWith('.md') && file !== 'README.md')) {
      expect(text).toContain(`](${prefix}${page})`);
    }
  });
});

/** The anchors that GitHub makes from headings: lower-case letters, digits, `-` and `_`; a space becomes `-`. */
function anchorsOf(page: string): string[] {
  return [...withoutCode(readFileSync(page, 'utf8')).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function withoutCode(text: string): string {
  return text.replaceAll(/^( *)```[\s\S]*?^\1```/gm, '');
}
