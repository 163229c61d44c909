/** Pipes that outlive a child, because a grandchild holds them. */
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { type SpawnProtectedOptions, spawnProtected } from 'sigshield'
import { describe, expect, it, onTestFinished } from 'vitest'
import { closed, ended, isAlive } from '../support/processes.js'

/** Leaves a grandchild that holds its pipes, and says its pid. */
function start(options: SpawnProtectedOptions) {
  const child = ended(spawnProtected('sh', ['-c', 'sleep 1000 & echo $!'], options))
  const end = closed(child)
  const pid = once(child.stdout as NodeJS.ReadableStream, 'data').then(([data]) => Number(data))
  onTestFinished(async () => {
    if (isAlive(await pid)) process.kill(await pid, 'SIGKILL')
  })
  return { child, end, pid }
}

describe('drain', () => {
  it.each([0, 20])('%d ms after the exit it closes the pipes, so that close comes', async (drain) => {
    const { child, end, pid } = start({ drain })
    expect(await end).toEqual({ code: 0, signal: null })
    expect(isAlive(await pid)).toBe(true)
    expect([child.stdin, child.stdout, child.stderr].map((stream) => stream?.destroyed)).toEqual([true, true, true])
  })

  it.each([undefined, Number.POSITIVE_INFINITY])(
    'with %s close waits for the grandchild (the control)',
    async (drain) => {
      const { child, end, pid } = start({ drain })
      const events: string[] = []
      child.on('exit', () => events.push('exit')).on('close', () => events.push('close'))
      await once(child, 'exit')
      const grandchild = await pid
      events.push('killed')
      process.kill(grandchild, 'SIGKILL')
      await end
      expect(events).toEqual(['exit', 'killed', 'close'])
    },
  )

  it('takes nothing away from a child that leaves nobody behind', async () => {
    const child = ended(spawnProtected('sh', ['-c', 'seq 100000'], { drain: 60_000 }))
    const end = closed(child)
    expect((await text(child.stdout as NodeJS.ReadableStream)).length).toBe(588_895)
    // At once, and no timer holds anything open: the test would not end.
    expect(await end).toEqual({ code: 0, signal: null })
  })

  it.each([
    [-1, 'ERR_OUT_OF_RANGE'],
    [Number.NaN, 'ERR_OUT_OF_RANGE'],
    [2 ** 31, 'ERR_OUT_OF_RANGE'],
    ['1', 'ERR_INVALID_ARG_TYPE'],
  ])('%j is refused', (drain, code) => {
    expect(() => spawnProtected('true', { drain: drain as number })).toThrow(expect.objectContaining({ code }))
  })
})
