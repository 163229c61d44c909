/** A call holds its output twice at the most, as Node's do, and gives it back. */
import { readFileSync } from 'node:fs'
import { spawnSyncProtected } from 'sigshield'
import { expect, it } from 'vitest'
import { hasProc } from '../support/process-table.mjs'

const MB = 1 << 20

/** Of this process, in bytes. `VmHWM` is the most it has ever been: on a Mac it begins with the program, on Linux libuv's may not. */
function memory(field: 'VmRSS' | 'VmHWM'): number {
  if (!hasProc) return field === 'VmRSS' ? process.memoryUsage.rss() : process.resourceUsage().maxRSS * 1024
  return Number(new RegExp(`^${field}:\\s*(\\d+)`, 'm').exec(readFileSync('/proc/self/status', 'latin1'))?.[1]) * 1024
}

it('256 MB of output', () => {
  const SIZE = 256 * MB
  globalThis.gc?.()
  const before = memory('VmHWM')
  const { status, stdout } = spawnSyncProtected('head', ['-c', String(SIZE), '/dev/zero'], { maxBuffer: 2 * SIZE })
  expect({ status, length: stdout.length }).toEqual({ status: 0, length: SIZE })
  // As it comes, and as the Buffer.
  expect(memory('VmHWM') - before).toBeLessThan(SIZE * 2.2)
})

it('five hundred calls leave nothing', () => {
  const call = () => spawnSyncProtected('head', ['-c', String(MB / 2), '/dev/zero'])
  for (let i = 0; i < 50; i += 1) call()
  globalThis.gc?.()
  const before = memory('VmRSS')
  for (let i = 0; i < 500; i += 1) {
    call()
    if (i % 50 === 0) globalThis.gc?.()
  }
  globalThis.gc?.()
  // Were each output kept it would be 250 MB.
  expect(memory('VmRSS') - before).toBeLessThan(50 * MB)
})
