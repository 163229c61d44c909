import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { limit, slowness } from './test/support/limits.js'

process.env.TEST_TIMEOUT_FACTOR ??= String(slowness())

// Tests wait for processes more than they compute.
const sideBySide = Math.max(2, availableParallelism())

export default defineConfig({
  test: {
    // Tests own signals, descriptors and children of their process, so each file has a process of its own.
    pool: 'forks',
    execArgv: ['--expose-gc'],
    globalSetup: 'test/support/build-programs.ts',
    setupFiles: 'test/support/census.ts',
    testTimeout: limit(30_000),
    hookTimeout: limit(30_000),
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.alone.test.ts'],
          maxWorkers: sideBySide,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // What measures, floods or exhausts the machine.
        extends: true,
        test: {
          name: 'alone',
          include: ['test/**/*.alone.test.ts'],
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
