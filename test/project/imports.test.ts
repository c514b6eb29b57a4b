import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

// Dependencies point one way. Each folder may import these prefixes, and its own files.
const MAY_IMPORT: Record<string, readonly string[]> = {
  api: ['zod', 'src/dead-letters/list.js', 'src/dead-letters/listed.js', 'src/events/kinds.js'],
  events: ['zod', 'src/digest'],
  storage: [
    'src/binary-search',
    'src/clock',
    'src/digest',
    'src/events/',
    'src/json-text',
    'src/recent',
    '@azure/',
    'node:',
  ],
  clients: [
    'src/clock',
    'src/events/health-event.js',
    'src/telemetry/',
    'src/errors',
    '@azure/core-rest-pipeline',
    '@azure/identity',
    'fhir/r4.js',
    'node:stream',
  ],
  handler: [
    'src/clock',
    'src/codes',
    'src/digest',
    'src/errors',
    'src/events/',
    'src/storage/',
    'src/telemetry/',
    'src/workflow.js',
    'node:fs',
    'node:path',
    'node:url',
  ],
  pipeline: [
    'src/clock',
    'src/codes',
    'src/dead-letters/store/',
    'src/digest',
    'src/errors',
    'src/events/',
    'src/handler/',
    'src/json-text',
    'src/recent',
    'src/storage/',
    'src/telemetry/',
    'src/workflow.js',
  ],
  telemetry: ['src/clock', '@azure/identity', '@azure/monitor-opentelemetry-exporter', '@opentelemetry/'],
  'dead-letters': [
    'src/clock',
    'src/digest',
    'src/events/',
    'src/json-text',
    'src/nearest',
    'src/printable',
    'src/storage/',
    'src/telemetry/metrics.js',
  ],
  'dead-letters/store': ['src/digest', 'src/events/', 'src/json-text', 'src/storage/'],
  reconcile: [
    'src/clients/readers.js',
    'src/clients/read-error.js',
    'src/clients/service-pages.js',
    'src/clock',
    'src/dead-letters/add-row.js',
    'src/digest',
    'src/errors',
    'src/events/',
    'src/fhir-types',
    'src/nearest',
    'src/printable',
    'src/storage/',
    'src/workflow.js',
  ],
  instances: [
    'src/api/',
    'src/clock',
    'src/errors',
    'src/json-text',
    'src/pipeline/circuits.js',
    'src/shared-answer',
    'src/storage/',
    'src/telemetry/',
    'zod',
  ],
  workflows: ['src/workflow.js', 'zod'],
  // This workflow reads rules, dates and units, so it may import more, but neither the pipeline nor storage.
  'workflows/observation-alerts': [
    'src/workflow.js',
    'src/fhir-date.js',
    'src/json-place.js',
    '@lhncbc/ucum-lhc',
    'fhir/r4.js',
    'node:crypto',
    'node:fs',
    'node:module',
    'zod',
  ],
  testing: [
    'src/clients/',
    'src/clock',
    'src/dead-letters/store/',
    'src/events/',
    'src/handler/',
    'src/pipeline/',
    'src/storage/memory-',
    'src/storage/',
    'src/telemetry/',
    'src/workflow.js',
  ],
  simulator: [
    'src/binary-search',
    'src/clients/readers.js',
    'src/clock',
    'src/dead-letters/',
    'src/digest',
    'src/events/',
    'src/fhir-date',
    'src/fhir-types',
    'src/functions/compose.js',
    'src/functions/serve.js',
    'src/functions/reconcile-deps.js',
    'src/json-place',
    'src/json-text',
    'src/media-type',
    'src/reconcile/',
    'src/storage/',
    'src/workflow.js',
    '@azure/functions',
    'dicom-parser',
    'fast-json-patch',
    'node:',
    'zod',
  ],
  ui: ['src/api/', 'src/json-place', 'docs/sample-image.dcm', '@preact/signals', 'preact', 'uplot'],
  functions: [
    'src/api/',
    'src/clients/readers.js',
    'src/clock',
    'src/codes',
    'src/config',
    'src/dead-letters/',
    'src/errors',
    'src/events/',
    'src/handler/',
    'src/instances/',
    'src/json-place',
    'src/json-text',
    'src/media-type',
    'src/nearest',
    'src/pipeline/',
    'src/printable',
    'src/reconcile/',
    'src/shared-answer',
    'src/storage/',
    'src/telemetry/',
    'src/workflow.js',
    'src/digest',
    '@azure/functions',
    '@azure/identity',
    'zod',
    'node:',
  ],
};

const IMPORT = /^(?!\s*\*).*(?:from |import\(|createRequire\(import\.meta\.url\)\()'([^']+)'/gm;

const importsOf = (file: string) =>
  [...readFileSync(file, 'utf8').matchAll(IMPORT)].map(([, name]) => {
    const imported = name as string;
    return imported.startsWith('.') ? relative('.', join(dirname(file), imported)) : imported;
  });

const filesOf = (folder: string) =>
  readdirSync(join('src', folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join('src', folder, name));

/** The files of a folder, without subfolders that have their own entry in MAY_IMPORT. */
const ownFilesOf = (folder: string) => {
  const inner = Object.keys(MAY_IMPORT).filter((other) => other.startsWith(`${folder}/`));
  return filesOf(folder).filter((file) => !inner.some((other) => file.startsWith(`src/${other}/`)));
};

describe('when a file imports another', () => {
  it.each(Object.keys(MAY_IMPORT))(
    'given a file in src/%s, then it imports only the prefixes that MAY_IMPORT allows',
    (folder) => {
      const allowed = [`src/${folder}/`, ...(MAY_IMPORT[folder] ?? [])];

      const wrong = ownFilesOf(folder).flatMap((file) =>
        importsOf(file)
          .filter((name) => !allowed.some((prefix) => name.startsWith(prefix)))
          .map((name) => `${file}: ${name}`),
      );

      expect(wrong).toEqual([]);
    },
  );

  it('given a storage SDK or its HTTP library, then only storage adapters and readers import it', () => {
    const users = Object.keys(MAY_IMPORT)
      .flatMap(filesOf)
      .filter((file) => importsOf(file).some((name) => /^@azure\/(data-tables|storage|core)/.test(name)));

    expect(users.filter((file) => !/src\/(storage\/(azure-.*|table-transaction)|clients\/.*)\.ts$/.test(file))).toEqual(
      [],
    );
  });

  it('given the OpenTelemetry libraries, then only the exporters, which settings select at run time, load them', () => {
    const IMPORTS_AT_START =
      /^(?!\s*\*)import (?!type ).*from '(?:@opentelemetry\/|@azure\/monitor|.*\/(?:open-telemetry|spans|otlp|azure-monitor)\.js)/m;

    const importers = [...Object.keys(MAY_IMPORT), 'local'].flatMap(filesOf).filter((file) => {
      return IMPORTS_AT_START.test(readFileSync(file, 'utf8').replaceAll(/import \{[^}]*\}/g, 'import {}'));
    });

    expect([...new Set(importers)].sort()).toEqual([
      'src/telemetry/azure-monitor.ts',
      'src/telemetry/open-telemetry.ts',
      'src/telemetry/otlp.ts',
      'src/telemetry/spans.ts',
    ]);
  });

  it('given the pipeline or the handler folder, then it imports the interfaces of storage, not the adapters', () => {
    const wrong = ['pipeline', 'handler']
      .flatMap(filesOf)
      .flatMap((file) => importsOf(file).filter((name) => /azure|memory-/.test(name)));

    expect(wrong).toEqual([]);
  });
});
