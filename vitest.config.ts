import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { limit, slowness } from './test/support/limits.js'
import { filesLeftOut, isAnyLeftOut, isPosix } from './test/support/posix/differences.js'

process.env.TEST_TIMEOUT_FACTOR ??= String(slowness())
// Of a bash whose input is a socket, as Node's pipes are, the user's ~/.bashrc is a part, unless a shell is above it.
process.env.SHLVL = '9'

/** Files that mean nothing where the suite runs: test/systems/asan.mjs. */
const leftOut = process.env.TEST_LEFT_OUT?.split(';') ?? []
/** `npm run test:libraries`: programs of others, for whom each run is another. */
const byName = process.env.TEST_LIBRARIES ? [] : ['test/protect/libraries.test.ts']
// What tests start asks too.
if (isPosix) process.env.TEST_SYSTEM = 'posix'

/** What the kernel does for the C half, and shells and terminals, is the same under every Node: `npm run test:nodes` leaves it out. */
const ofTheSystem = [
  'test/native/kernel/*.test.ts',
  'test/command/{completion,ps,terminal}.test.ts',
  'test/protect/{libraries,terminal}.test.ts',
]

const ofLinux = filesLeftOut()

const sideBySide = { maxWorkers: Math.max(2, availableParallelism()), sequence: { groupOrder: 0 } }

export default defineConfig({
  test: {
    // Tests own signals, descriptors and children of their process, so each file has a process of its own.
    pool: 'forks',
    execArgv: ['--expose-gc'],
    globalSetup: 'test/support/build-programs.ts',
    setupFiles: [
      'test/support/census.ts',
      ...(isAnyLeftOut ? ['test/support/posix/skipping.ts'] : []),
      ...(process.env.TEST_WITHOUT_PROC ? ['test/support/posix/no-proc.ts'] : []),
    ],
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
