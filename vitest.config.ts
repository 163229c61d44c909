import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { limit, slowness } from './test/support/limits.js'
import { filesOfLinux } from './test/support/of-linux.js'

process.env.TEST_TIMEOUT_FACTOR ??= String(slowness())

/** Files that mean nothing where the suite runs: test/systems/asan.mjs, test/systems/posix.mjs. */
const leftOut = process.env.TEST_LEFT_OUT?.split(';') ?? []
/** `npm run test:libraries`: programs of others, for whom each run is another. */
const byName = process.env.TEST_LIBRARIES ? [] : ['test/protect/libraries.test.ts']
/** `npm run test:posix`. */
const isPosix = process.env.TEST_SYSTEM === 'posix'

/** What the kernel does for the C half, and shells and terminals, is the same under every Node: `npm run test:nodes` leaves it out. */
const ofTheSystem = [
  'test/native/kernel/*.test.ts',
  'test/command/{completion,ps,terminal}.test.ts',
  'test/protect/{libraries,terminal}.test.ts',
]

const ofLinux = filesOfLinux()

const sideBySide = { maxWorkers: Math.max(2, availableParallelism()), sequence: { groupOrder: 0 } }

export default defineConfig({
  test: {
    // Tests own signals, descriptors and children of their process, so each file has a process of its own.
    pool: 'forks',
    execArgv: ['--expose-gc'],
    globalSetup: 'test/support/build-programs.ts',
    setupFiles: ['test/support/census.ts', ...(isPosix ? ['test/support/posix/differences.ts'] : [])],
    testTimeout: limit(30_000),
    hookTimeout: limit(30_000),
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: [
            ...ofTheSystem,
            'test/**/*.alone.test.ts',
            ...(isPosix ? [] : ['test/posix/**']),
            ...leftOut,
            ...ofLinux,
          ],
          ...sideBySide,
        },
      },
      {
        extends: true,
        test: {
          name: 'kernel',
          include: ofTheSystem,
          exclude: ['test/**/*.alone.test.ts', ...byName, ...leftOut, ...ofLinux],
          ...sideBySide,
        },
      },
      {
        // What measures, floods or exhausts the machine has it for itself, after all others.
        extends: true,
        test: {
          name: 'alone',
          include: ['test/**/*.alone.test.ts'],
          exclude: [...leftOut, ...ofLinux],
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
