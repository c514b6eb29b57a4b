import { availableParallelism } from 'node:os';

export default {
  testEnvironment: 'node',
  // The longest tests mostly wait for other processes.
  maxWorkers: Math.max(2, availableParallelism() - 1),
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
  },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  // Machines are slow now and then; no test fails for that.
  testTimeout: 120_000,
  globalSetup: '<rootDir>/test/azurite/start.ts',
  globalTeardown: '<rootDir>/test/azurite/stop.ts',
};
