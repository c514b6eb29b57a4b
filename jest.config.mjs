import { availableParallelism } from 'node:os';

const OTLP_SENDER = '@opentelemetry/otlp-exporter-base/';

export default {
  testEnvironment: '<rootDir>/test/environment.mjs',
  // The longest tests mostly wait for other processes.
  maxWorkers: availableParallelism() + 2,
  testSequencer: '<rootDir>/test/longest-first.mjs',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2024' },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
    // It loads node:http by import(), which jest has only for ES modules.
    [OTLP_SENDER]: ['@swc/jest', { jsc: { target: 'es2024' }, module: { type: 'commonjs' } }],
  },
  transformIgnorePatterns: [`/node_modules/(?!${OTLP_SENDER})`],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  // Ends a test that hangs. No test fails because its machine is slow, so no test has a limit of its own.
  testTimeout: 600_000,
  globalSetup: '<rootDir>/test/azurite/start.ts',
  globalTeardown: '<rootDir>/test/azurite/stop.ts',
};
