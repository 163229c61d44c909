/**
 * Starts in a process that has more than a thousand descriptors open, whose child is given a copy of the low ones only. What a
 * start does is the same in a process with few; `unshare_killed` ends a child that asks for such a copy, so it tells which way a
 * start went.
 */
import { execFile } from 'node:child_process'
import { constants } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { SpawnProtectedOptions } from 'sigshield'
import { describe, expect, it } from 'vitest'
import { programs } from '../support/build-programs.js'
import { limit } from '../support/limits.js'
import { probe, temporaryFolder } from '../support/processes.js'

const script = join(import.meta.dirname, '../support/start/many-descriptors-parent.mjs')
const { ENOMEM, EPERM } = constants.errno

type Found = Record<string, { outcome: unknown; changed: string[] }>

async function run(policy: string, options: SpawnProtectedOptions, ...things: string[]): Promise<Found> {
  const node = [process.execPath, '--expose-gc', script, probe, JSON.stringify(options), ...things]
  const [file = '', ...args] = policy === '' ? node : [join(programs, 'restricted'), policy, ...node]
  return JSON.parse((await promisify(execFile)(file, args)).stdout)
}

const everything = {
  ignore: [0, 1, 2],
  inherit: 0,
  pipes: 200_000,
  numbers: [0, 1, 2, 4],
  'numbers, where some have been closed since': [0, 1, 2],
  sync: 'told',
  event: [0, 'ready\nexit requested\n'],
  'numbers with an event': [0, 1, 2, 8],
  'numbers, dying with its parent': [0, 1, 2],
  fork: ['told', 0],
  'a file of high number': [true, 0, 'out\nerr\n'],
  'a socket of high number': [0, 'told\n'],
  'a long list': 101,
  'no such program': { code: 'ENOENT', step: 'execve' },
  'no such folder': { code: 'ENOENT', step: 'chdir' },
  'a program by its descriptor': [0, 0],
  'from worker threads at once': [0, 0, 0, 0],
}

const starts: { start: string; options: SpawnProtectedOptions; throughLink: unknown; enforced: unknown[] }[] = [
  // A program that was not found for the copy alone is started again.
  { start: 'a start that waits', options: {}, throughLink: 'SIGSYS', enforced: ['filter', 0, 'filter'] },
  { start: 'one that does not', options: { waitForExec: false }, throughLink: 0, enforced: [false, 0, 'filter'] },
]

describe.each(starts)(
  'a child has what it was given, and its parent the very same descriptors as before: $start',
  ({ options }) => {
    it.concurrent.each([
      ['as the kernel has it', ''],
      ['without a copy of the low ones', 'unshare'],
      ['where that is pretended', 'unshare=0'],
      ['where there is no room for it', `unshare=${ENOMEM}`],
      ['without close_range', 'close_range'],
      ['where no descriptors are shared', `clone_files=${EPERM}`],
      ['without pidfds', 'pidfd'],
    ])(
      '%s',
      async (_where, policy) => {
        const found = await run(policy, options, ...Object.keys(everything))
        const outcomes = Object.entries(found).map(([thing, { outcome }]) => [thing, outcome])
        expect(Object.fromEntries(outcomes)).toEqual(everything)
        expect(Object.values(found).flatMap(({ changed }) => changed)).toEqual([])
      },
      limit(60_000),
    )
  },
)

describe.each(starts)('no descriptor is copied that the child does not need: $start', ({ options, throughLink }) => {
  const killed = {
    ignore: 'SIGSYS',
    inherit: 'SIGSYS',
    numbers: 'SIGSYS',
    'numbers, where some have been closed since': 'SIGSYS',
    'numbers with an event': 'SIGSYS',
    'numbers, dying with its parent': 'SIGSYS',
    'a socket of high number': ['SIGSYS', ''],
  }
  const copied = ['a file of high number', 'a long list', 'a program by its descriptor'] as const

  it.each(Object.entries(killed))('%s', async (thing, outcome) => {
    expect(await run('unshare_killed', options, thing)).toEqual({ [thing]: { outcome, changed: [] } })
  })

  it.each(Object.keys(killed) as (keyof typeof killed)[])(
    'where there are few all are, as ever: %s (the control)',
    async (thing) => {
      expect(await run('unshare_killed', options, 'few', thing)).toMatchObject({
        [thing]: { outcome: everything[thing] },
      })
    },
  )

  // A file: to close a copy of it would take this process its locks.
  it.each(copied)('nor where the child needs more: %s', async (thing) => {
    const found = await run('unshare_killed', options, thing)
    expect(found[thing]).toEqual({
      outcome: thing === 'a program by its descriptor' ? [0, throughLink] : everything[thing],
      changed: [],
    })
  })
})

it.each(starts)('it is as ever whether the program is waited for: $start', async ({ options, enforced }) => {
  const thing = 'enforced as the call returns'
  expect(await run('', options, thing)).toEqual({ [thing]: { outcome: enforced, changed: [] } })
})

it('what a program has opened where ours were closed is untouched', async () => {
  const thing = 'all kept are closed, and another’s'
  const { outcome } = (await run('', {}, thing))[thing] as Found[string]
  expect(outcome).toEqual([7, true, 'told', [0, 1, 2], true])
})

it('record locks on a file that a child is given stay', async () => {
  const file = join(temporaryFolder(), 'locked')
  const code = `import { closeSync, openSync } from 'node:fs'
    import { execFileSync } from 'node:child_process'
    import { once } from 'node:events'
    import { spawnProtected } from 'sigshield'
    const start = async (fd) => once(spawnProtected('true', { stdio: ['ignore', fd, 'ignore'] }), 'exit')
    await start('ignore')
    await start(2000)
    const look = 'import fcntl; fcntl.lockf(open("${file}", "r+"), fcntl.LOCK_EX | fcntl.LOCK_NB)'
    const isLocked = () => {
      try {
        execFileSync('python3', ['-c', look], { stdio: 'ignore' })
        return false
      } catch {
        return true
      }
    }
    const after = [isLocked()]
    closeSync(openSync('${file}'))
    console.log(JSON.stringify([...after, isLocked()]))`
  const python = `import fcntl, os, sys
fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
os.set_inheritable(fd, True)
fcntl.lockf(fd, fcntl.LOCK_EX)
for number in range(100, 2001): os.dup2(fd if number == 2000 else 1, number)
os.execv(sys.argv[2], sys.argv[2:])`
  const args = ['-c', python, file, process.execPath, '--input-type=module', '-e', code]
  // Of a copy that is closed it would be lost (the control).
  expect(JSON.parse((await promisify(execFile)('python3', args)).stdout)).toEqual([true, false])
})
