import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const read = (file: string) => readFileSync(file, 'utf8');
const filesIn = (folder: string) =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(md|sh|ps1)$/.test(entry.name))
    .map((entry) => join(folder, entry.name));

describe('the version of Node that the project needs', () => {
  const { engines } = JSON.parse(read('package.json')) as { engines: { node: string } };
  const [, version] = /^>=(\d+)$/.exec(engines.node) ?? [];

  it('given package.json and its lock file, then both name the same version', () => {
    expect(version).toBeDefined();
    expect(JSON.parse(read('package-lock.json')).packages[''].engines).toEqual(engines);
  });

  it('given a page or script that names the version to install, then it is the version of package.json', () => {
    const mentions = ['.', 'docs', 'docs/deploy', 'infra', 'infra/hooks']
      .flatMap(filesIn)
      .flatMap((file) =>
        [...read(file).matchAll(/Node(?:\.js)? (\d+) or later/g)].map(([, named]) => ({ file, named })),
      );

    for (const { file, named } of mentions) expect({ file, named }).toEqual({ file, named: version });
    expect(mentions.map(({ file }) => file)).toEqual(
      expect.arrayContaining([
        'README.md',
        'CONTRIBUTING.md',
        'docs/deploy/first-deployment.md',
        'infra/hooks/preprovision.sh',
      ]),
    );
  });

  it('given npm ci on the minimum version, then npm prints no warning about packages that require a later version', () => {
    expect(read('.npmrc')).toMatch(/^loglevel=error$/m);
  });
});
