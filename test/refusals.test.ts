import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { forkProtected, spawnProtected } from 'sigshield'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { children, openDescriptors, settles } from './support/census.js'

function thrown(start: () => unknown): { name: string; code: string; message: string } {
  try {
    start()
  } catch (error) {
    const { name, code, message } = error as Error & { code: string }
    return { name, code, message }
  }
  throw new Error('nothing was thrown')
}

/** A refusal must leave nothing: no process, no descriptor. */
async function leavesNothing(refused: () => unknown): Promise<void> {
  const descriptors = openDescriptors()
  const family = children()
  await refused()
  expect(children()).toEqual(family)
  await settles(openDescriptors, descriptors)
}

const value = 'ERR_INVALID_ARG_VALUE'
const type = 'ERR_INVALID_ARG_TYPE'
const unknown = 'ERR_UNKNOWN_SIGNAL'

describe('a mistake in our own options is thrown before anything starts', () => {
  it.each([
    [{ ignore: ['SIGFOO'] }, unknown, "Unknown signal: 'SIGFOO'"],
    [{ ignore: ['sigint'] }, unknown, "Unknown signal: 'sigint': did you mean 'SIGINT'?"],
    [{ block: ['INT'] }, unknown, "Unknown signal: 'INT': did you mean 'SIGINT'?"],
    [{ ignore: [0] }, unknown, 'Unknown signal: 0'],
    [{ ignore: [65] }, unknown, 'Unknown signal: 65'],
    [{ ignore: [32] }, unknown, 'Unknown signal: 32'],
    [{ ignore: [2.5] }, unknown, 'Unknown signal: 2.5'],
    [{ ignore: ['toString'] }, unknown, "Unknown signal: 'toString'"],
    [{ ignore: [null] }, type, 'The "signal" argument must be a signal name such as \'SIGINT\'. Received null'],
    [
      { ignore: 'SIGINT' },
      type,
      `The "options.ignore" property must be an array of signals such as ['SIGINT']. Received 'SIGINT'`,
    ],
    [
      { ignore: ['SIGKILL'] },
      value,
      "The property 'options.ignore' must not contain SIGKILL, which no process can ignore or block. Received 'SIGKILL'",
    ],
    [
      { block: ['SIGSTOP'] },
      value,
      "The property 'options.block' must not contain SIGSTOP, which no process can ignore or block. Received 'SIGSTOP'",
    ],
    [
      { ignore: [9] },
      value,
      "The property 'options.ignore' must not contain SIGKILL, which no process can ignore or block. Received 9",
    ],
    [
      { ignore: ['SIGCHLD'] },
      value,
      "The property 'options.ignore' must not contain SIGCHLD: the child could not wait for children of its own. Leave it out. Received 'SIGCHLD'",
    ],
    [
      { block: ['SIGSEGV'] },
      value,
      "The property 'options.block' must not contain SIGSEGV: the kernel raises it for a fault of the program itself, and ends it all the same. Received 'SIGSEGV'",
    ],
    [{ enforce: 'yes' }, type, `The "options.enforce" property must be true, false or 'auto'. Received 'yes'`],
    [{ exitEvent: {} }, type, 'The "options.exitEvent" property must be an instance of ExitEvent. Received {}'],
  ])('%j', async (options, code, message) => {
    await leavesNothing(() => {
      const expected = { name: 'TypeError', code, message }
      expect(thrown(() => spawnProtected('true', options as object))).toEqual(expected)
      expect(thrown(() => forkProtected('x.mjs', options as object))).toEqual(expected)
    })
  })
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
