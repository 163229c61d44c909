/** Around every test file: it must leave no descriptor open and no child, dead or alive, behind. */

import childProcess from 'node:child_process'
import { once } from 'node:events'
import { ExitEvent, spawnProtected } from 'sigshield'
import { afterAll, beforeAll, expect } from 'vitest'
import { openDescriptors } from './descriptors.mjs'
import { limit } from './limits.js'
import { childrenOf } from './process-table.mjs'

/** Children of this process, with their state and name. */
export function children(): string[] {
  return childrenOf(process.pid).map(({ pid, state, name }) => `${pid} ${state} (${name})`)
}

/** What Node, libuv and the addon open once, at first use, is not a leak. */
async function warmUp(): Promise<void> {
  await once(childProcess.spawn('true'), 'close')
  await once(spawnProtected('true'), 'close')
  new ExitEvent().set()
}

/** Closing goes over the event loop; what is not closed when the deadline comes is a leak. */
export async function settles(read: () => string[], expected: string[]): Promise<void> {
  const deadline = Date.now() + limit(10_000)
  const extra = () => read().filter((entry) => !expected.includes(entry))
  let left = extra()
  while (left.length > 0 && Date.now() < deadline) {
    await new Promise(setImmediate)
    left = extra()
  }
  expect(left).toEqual([])
}

let descriptors: string[] = []
let family: string[] = []

beforeAll(async () => {
  await warmUp()
  descriptors = openDescriptors()
  family = children()
})

afterAll(async () => {
  // An exit event that nobody can set any more is closed when it is collected.
  globalThis.gc?.()
  await settles(children, family)
  await settles(openDescriptors, descriptors)
})
