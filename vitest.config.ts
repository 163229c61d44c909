import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Tests own signals, descriptors and children of their process, so each file has a process of its own.
    pool: 'forks',
    execArgv: ['--expose-gc'],
    fileParallelism: false,
    globalSetup: 'test/support/build-programs.ts',
    setupFiles: 'test/support/census.ts',
    testTimeout: 30_000 * Number(process.env.TEST_TIMEOUT_FACTOR ?? 1),
    hookTimeout: 30_000 * Number(process.env.TEST_TIMEOUT_FACTOR ?? 1),
  },
})
