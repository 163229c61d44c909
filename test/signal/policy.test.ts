/** Which signals can be ignored and blocked. */
import { type Signal, spawnProtected } from 'sigshield'
import { describe, expect, it } from 'vitest'
import { ended } from '../support/processes.js'
import { expectRefused } from '../support/refusal.js'
import { signalState } from '../support/signal-state.js'

const value = 'ERR_INVALID_ARG_VALUE'

it('takes every signal that can be ignored or blocked, real-time signals by their numbers', async () => {
  const refused = [4, 5, 7, 8, 9, 11, 17, 19, 31, 32, 33]
  const all = Array.from({ length: 64 }, (_, i) => i + 1).filter((signal) => !refused.includes(signal))
  const child = ended(spawnProtected('cat', { ignore: all as Signal[], block: all as Signal[] }))
  expect(signalState(child.pid as number)).toEqual({ ignored: all, blocked: all })
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
