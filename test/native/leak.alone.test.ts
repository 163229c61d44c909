import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { spawnProtected } from 'sigshield'
import { expect, it } from 'vitest'
import { children } from '../support/census.js'
import { openDescriptors } from '../support/descriptors.mjs'
import { limit, times } from '../support/limits.js'
import { hasProc } from '../support/process-table.mjs'
import { nothing } from '../support/processes.js'

const STARTS = times(10_000)
const WARM_UP = 6_000
const IN_FLIGHT = 16

async function startMany(count: number, stdio: 'ignore' | 'pipe', command: string): Promise<void> {
  let left = count
  const line = async () => {
    while (left > 0) {
      left -= 1
      const child = spawnProtected(command, { stdio })
      // A command that is missing ends with 'error' and 'close'.
      child.on('error', () => {})
      await new Promise((resolve) => child.once('close', resolve))
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, line))
}

/** Only Linux tells it. Resident memory of malloc's main arena, where all allocations of the addon and libuv on this thread are. Not V8's heap. */
function arena(): number {
  const entry = readFileSync('/proc/self/smaps', 'latin1').split(' [heap]\n')[1]
  return Number(/^Rss: +(\d+) kB$/m.exec(entry ?? '')?.[1]) / 2 ** 10
}

async function memory() {
  // Twice, with a turn between: finalizers run after the first collection.
  for (let i = 0; i < 2; i += 1) {
    globalThis.gc?.()
    await new Promise(setImmediate)
  }
  const { rss, heapUsed } = process.memoryUsage()
  return { rss: rss / 2 ** 20, heap: heapUsed / 2 ** 20, arena: hasProc ? arena() : 0 }
}

it(
  `${STARTS} starts leave memory, descriptors and processes as they were`,
  async () => {
    // Grows what grows once: V8's young generation, code, allocator arenas.
    await startMany(WARM_UP, 'pipe', nothing)
    const before = { ...(await memory()), descriptors: openDescriptors(), children: children() }
    await startMany(STARTS * 0.8, 'ignore', nothing)
    await startMany(STARTS * 0.1, 'pipe', nothing)
    await startMany(STARTS * 0.1, 'pipe', 'sigshield-no-such-command')
    const after = await memory()
    console.log(
      `${STARTS} starts on Node ${process.version}: rss ${before.rss.toFixed(1)} -> ${after.rss.toFixed(1)} MB, ` +
        `heap ${before.heap.toFixed(1)} -> ${after.heap.toFixed(1)} MB, arena ${before.arena.toFixed(1)} -> ${after.arena.toFixed(1)} MB, ` +
        `${openDescriptors().length} descriptors, ${children().length} children`,
    )
    expect(openDescriptors()).toEqual(before.descriptors)
    expect(children()).toEqual(before.children)
    // Not judged by rss: V8 sizes its young generation as it likes, by tens of MB. Of 10,000 starts, an object forgotten at each
    // is 1 MB of heap, Node's own handle 6 MB of the arena, which V8 moves by 2 MB.
    expect(after.heap - before.heap).toBeLessThan(times(0.5))
    expect(after.arena - before.arena).toBeLessThan(times(3))
    await once(spawnProtected('true'), 'close')
  },
  limit(120_000),
)
