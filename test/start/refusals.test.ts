import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawnProtected } from 'sigshield'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectRefused, leavesNothing, thrown } from '../support/refusal.js'

const value = 'ERR_INVALID_ARG_VALUE'
const type = 'ERR_INVALID_ARG_TYPE'

describe('a mistake in our own options is thrown before anything starts', () => {
  it.each([
    [{ enforce: 'yes' }, type, `The "options.enforce" property must be true, false, 'auto' or 'guard'. Received 'yes'`],
    [{ exitEvent: {} }, type, 'The "options.exitEvent" property must be an instance of ExitEvent. Received {}'],
  ])('%j', expectRefused)
})

describe('a NUL byte is thrown as child_process throws it', () => {
  it.each([
    ['in the command', ['a\0b', [], {}]],
    ['in an argument', ['echo', ['a\0b'], {}]],
    ['in a value of the environment', ['echo', [], { env: { A: 'a\0b' } }]],
    ['in a name of the environment', ['echo', [], { env: { 'A\0': 'b' } }]],
    ['in cwd', ['echo', [], { cwd: '/tmp\0' }]],
    ['in argv0', ['echo', [], { argv0: 'a\0b' }]],
    ['in shell', ['echo', [], { shell: '/bin/s\0h' }]],
  ] as [string, [string, string[], object]][])('%s', async (_where, call) => {
    await leavesNothing(() => {
      const ours = thrown(() => spawnProtected(...call))
      expect(ours).toEqual(thrown(() => spawn(...call)))
      expect(ours.code).toBe(value)
    })
  })
})

async function errorOf(child: ChildProcess): Promise<Record<string, unknown>> {
  const [error] = await once(child, 'error')
  return { message: error.message, ...error }
}

describe('what the system refuses', () => {
  const notExecutable = join(tmpdir(), `sigshield-not-executable-${process.pid}`)
  beforeAll(() => writeFileSync(notExecutable, '#!/bin/sh\n', { mode: 0o644 }))
  afterAll(() => rmSync(notExecutable))

  it.each([
    ['a missing command', ['sigshield-no-such-command', ['a'], {}], 'execve'],
    ['a missing path', ['/no/such/command', [], {}], 'execve'],
    ['a file that may not be executed', [notExecutable, [], {}], 'execve'],
    ['a directory', ['/tmp', [], {}], 'execve'],
    ['a missing working directory', ['true', [], { cwd: '/no/such/directory' }], 'chdir'],
    ['a command missing from the PATH of the child', ['ls', [], { env: { PATH: '/no/such' } }], 'execve'],
  ] as [string, [string, string[], object], string][])('%s is an error event', async (_what, call, step) => {
    await leavesNothing(async () => {
      const child = spawnProtected(...call)
      expect(child.pid).toBeUndefined()
      const end = new Promise((resolve) => child.once('close', (...exit) => resolve(exit)))
      const ours = await errorOf(child)
      expect(await end).toEqual([ours.errno, null])
      const node = await errorOf(spawn(...call))
      expect(ours).toEqual({ ...node, step })
    })
  })

  it.each([
    ['an argument list that is too long', ['true', ['x'.repeat(3 << 20)], {}], 'E2BIG', 'execve'],
    ['one longer than a string can be', ['true', Array(6).fill('x'.repeat(1e8)), {}], 'E2BIG', 'execve'],
    ['the same with overlapped pipes', ['true', ['x'.repeat(3 << 20)], { stdio: 'overlapped' }], 'E2BIG', 'execve'],
    ['a descriptor that is not open', ['true', [], { stdio: ['ignore', 'ignore', 999] }], 'EBADF', 'fcntl'],
    ['an id that can not be taken', ['true', [], { uid: -1 }], 'EINVAL', 'setresuid'],
  ] as [string, [string, string[], object], string, string][])('%s is thrown', async (_what, call, code, step) => {
    await leavesNothing(() => {
      let error: NodeJS.ErrnoException & { step?: string; spawnargs?: string[] } = new Error('nothing was thrown')
      try {
        spawnProtected(...call)
      } catch (caught) {
        error = caught as typeof error
      }
      expect(error).toMatchObject({ code, step, syscall: 'spawn' })
      expect(error.message).toBe(`spawn ${code}`)
    })
  })
})
