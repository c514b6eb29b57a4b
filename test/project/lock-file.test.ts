import { readFileSync } from 'node:fs';
import { join } from 'node:path';

type Entry = { optionalDependencies?: Record<string, string>; resolved?: string };
const lock = JSON.parse(readFileSync(join(process.cwd(), 'package-lock.json'), 'utf8')) as {
  packages: Record<string, Entry>;
};

describe('the lock file', () => {
  it('given another platform, then the lock file lists every optional dependency that npm ci may need', () => {
    const missing = Object.entries(lock.packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter((name) => !isListed(path, name)),
    );

    expect(missing).toEqual([]);
  });

  it('given the resolved packages, then the lock file names no registry', () => {
    expect(Object.entries(lock.packages).filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
  });
});

/**
 * Returns whether the lock file lists the package where Node looks: beside the dependent package, then in each folder
 * above.
 */
function isListed(path: string, name: string): boolean {
  for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    if (lock.packages[`${folder ? `${folder}/` : ''}node_modules/${name}`]) return true;
    if (folder === '') return false;
  }
}
