// Two projects: `unit` (beside their files, needs nothing) and `system` (real Postgres, RabbitMQ and Chromium,
// started once for all files by test/support/global-setup).
const common = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
    ],
  },
};

export default {
  // System tests wait more than they compute: one a core would leave the cores idle.
  maxWorkers: 3,
  testSequencer: './test/support/jest/longest-first.mjs',
  // Modules of earlier files stay in memory, and collecting garbage takes longer with each.
  workerIdleMemoryLimit: '600MB',
  // Jest's default rewrites functions, which breaks those handed to a page. What tests run in processes of their own is not counted.
  coverageProvider: 'v8',
  coverageReporters: ['text-summary', 'json-summary', 'html'],
  collectCoverageFrom: [
    '{core,runtime,queue,db,scraping,storage,dispatch,mcp,api,workers,cli}/**/*.ts',
    'sdk/src/**/*.ts',
    '!**/*.test.ts',
  ],
  reporters: ['default', './test/support/jest/closing-line-reporter.mjs'],
  projects: [
    {
      ...common,
      displayName: 'unit',
      setupFilesAfterEnv: ['<rootDir>/test/support/jest/unit-timeouts.ts'],
      testMatch: [
        '<rootDir>/{core,runtime,queue,db,scraping,storage,dispatch,mcp,api,workers,supervisor,sdk,cli}/**/*.test.ts',
        '<rootDir>/test/*.test.ts',
      ],
    },
    {
      ...common,
      displayName: 'system',
      setupFilesAfterEnv: ['<rootDir>/test/support/jest/system-timeouts.ts'],
      testMatch: ['<rootDir>/test/{integration,e2e}/**/*.test.ts'],
      globalSetup: './test/support/jest/global-setup.mjs',
      globalTeardown: './test/support/jest/global-teardown.mjs',
    },
  ],
};
