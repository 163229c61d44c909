/** Which signals can be ignored and blocked. */
import { constants } from 'node:os'
import { type Signal, spawnProtected } from 'sigshield'
import { describe, expect, it } from 'vitest'
import { closed, ended, line, signalSet } from '../support/processes.js'
import { expectRefused } from '../support/refusal.js'

const value = 'ERR_INVALID_ARG_VALUE'

it('takes every signal that can be ignored or blocked, real-time signals by their numbers', async () => {
  const { SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGKILL, SIGSEGV, SIGCHLD, SIGSTOP, SIGSYS } = constants.signals
  // 32 and 33 are libc's own.
  const refused = [SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGKILL, SIGSEGV, SIGCHLD, SIGSTOP, SIGSYS, 32, 33]
  // A Mac has no real-time signals.
  const last = process.platform === 'darwin' ? 31 : 64
  const all = Array.from({ length: last }, (_, i) => i + 1).filter((signal) => !refused.includes(signal)) as Signal[]
  for (const set of ['ignored', 'blocked']) {
    const child = ended(spawnProtected(signalSet, [set], { ignore: all, block: all }))
    expect(await line(child.stdout)).toBe(all.join(' '))
    await closed(child)
  }
})

describe('a signal that can not is thrown before anything starts', () => {
  it.each([
    [
      { ignore: ['SIGKILL'] },
      value,
      "The property 'options.ignore[0]' must not be SIGKILL, which no process can ignore or block. Received 'SIGKILL'",
    ],
    [
      { block: ['SIGSTOP'] },
      value,
      "The property 'options.block[0]' must not be SIGSTOP, which no process can ignore or block. Received 'SIGSTOP'",
    ],
    [
      { ignore: ['SIGINT', 'SIGKILL'] },
      value,
      "The property 'options.ignore[1]' must not be SIGKILL, which no process can ignore or block. Received 'SIGKILL'",
    ],
    [
      { ignore: [9] },
      value,
      "The property 'options.ignore[0]' must not be SIGKILL, which no process can ignore or block. Received 9",
    ],
    [
      { ignore: ['SIGCHLD'] },
      value,
      "The property 'options.ignore[0]' must not be SIGCHLD: the child could not wait for children of its own. Leave it out. Received 'SIGCHLD'",
    ],
    [
      { block: ['SIGSEGV'] },
      value,
      "The property 'options.block[0]' must not be SIGSEGV: the kernel raises it for a fault of the program itself, and ends it all the same. Received 'SIGSEGV'",
    ],
  ])('%j', expectRefused)
})
