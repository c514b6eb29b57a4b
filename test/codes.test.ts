import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { knownCode, knownName } from '../src/codes.js';

const filesOf = (folder: string) =>
  readdirSync(join('src', folder), { encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join('src', folder, name), 'utf8'));
const found = (folder: string, pattern: RegExp) => [
  ...new Set(filesOf(folder).flatMap((text) => [...text.matchAll(pattern)].map(([, code = '']) => code))),
];

describe('when code in src/ names an error', () => {
  it('given the codes of storage errors, then knownCode returns each', () => {
    const codes = [
      ...found('storage', /new StorageError\(\s*'([^']+)'/g),
      ...found('pipeline', /new StorageError\(\s*'([^']+)'/g),
      ...found('handler', /new StorageError\(\s*'([^']+)'/g),
      ...found('storage', /return '([a-z-]+)';/g).filter((code) =>
        /^(forbidden|aborted|timeout|garbled|un\w+)$/.test(code),
      ),
    ];

    expect(codes).toEqual(
      expect.arrayContaining(['timeout', 'waiting-busy', 'contention', 'unreachable', 'forbidden']),
    );
    expect(codes.filter((code) => knownCode(code, []) !== code)).toEqual([]);
  });

  it('given the codes of read errors, then knownCode returns each for FHIR and for DICOM', () => {
    const endings = [
      ...found('clients', /(?:readError\([\w.']+, |failed\(\s*)'([a-z-]+)'/g),
      ...found('clients', /\$\{kind\}-([a-z-]+)`/g),
    ];
    const codes = [
      ...endings.flatMap((ending) => [`fhir-${ending}`, `dicom-${ending}`]),
      ...found('clients', /code: '([a-z-]+)'/g),
      ...found('clients', /new ReadError\('([a-z-]+)'/g),
    ];

    expect(codes).toEqual(
      expect.arrayContaining([
        'fhir-forbidden',
        'dicom-throttled',
        'fhir-too-large',
        'host-not-listed',
        'read-aborted',
      ]),
    );
    expect(codes.filter((code) => knownCode(code, []) !== code)).toEqual([]);
  });

  it('given the codes of jobs, then knownCode returns each', () => {
    const codes = [
      ...['pipeline', 'handler'].flatMap((folder) => found(folder, /(?<!path: '[^']*', )code: '([a-z-]+)'/g)),
      ...found('pipeline', /retryIn\([\w.]+, '([a-z-]+)'/g),
    ];

    expect(codes).toEqual(
      expect.arrayContaining(['lease-lost', 'resource-busy', 'circuit-open', 'unknown-workflow', 'reserved-table']),
    );
    expect(codes.filter((code) => knownCode(code, []) !== code)).toEqual([]);
  });

  it('given the names of error classes, then knownName returns each', () => {
    const names = ['pipeline', 'handler', 'storage', 'clients', 'events', '.'].flatMap((folder) =>
      found(folder, /override name = '(\w+)'/g),
    );

    expect(names.length).toBeGreaterThan(5);
    expect(names.filter((name) => knownName(name) !== name)).toEqual([]);
  });

  it('given an object whose text looks like a status code, then knownCode does not return the object', () => {
    const value = { toString: () => 'http-404', toJSON: () => 'Muellerphi' } as unknown as string;

    expect(knownCode(value, [])).toBe('undeclared-code');
  });
});
