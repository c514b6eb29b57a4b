export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  // Real processes and minutes: `npm run soak`, or `npx jest --testPathIgnorePatterns= test/processes`.
  testPathIgnorePatterns: ['<rootDir>/test/processes/'],
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
  globalSetup: '<rootDir>/test/azurite/start.ts',
  globalTeardown: '<rootDir>/test/azurite/stop.ts',
};
