/** A storm of signals over workers that start and work under the guard: no sample of the kernel's own view may show a gap. */
import { once } from 'node:events'
import { closeSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { forkProtected } from 'sigshield'
import { stateOf } from 'sigshield/signals'
import { expect, it } from 'vitest'
import { times } from '../support/limits.js'
import { hasProc } from '../support/process-table.mjs'
import { ended, isAlive, SIGINT, SIGTERM } from '../support/processes.js'

const worker = join(import.meta.dirname, '../support/guard/stormed-worker.mjs')
const BOTH = (1n << BigInt(SIGINT - 1)) | (1n << BigInt(SIGTERM - 1))

/** Looks at a process as fast as it can be looked at, and sends it both signals at each look. */
class Storm {
  /** With the file that is read, where there is one. */
  readonly #files = new Map<number, number | undefined>()
  readonly #buffer = Buffer.alloc(4096)
  samples = 0
  bad: string[] = []

  add(pid: number): void {
    this.#files.set(pid, hasProc ? openSync(`/proc/${pid}/status`, 'r') : undefined)
  }

  look(sends: boolean): void {
    for (const [pid, fd] of this.#files) {
      try {
        if (!this.#isProtected(pid, fd)) this.bad.push(String(pid))
        this.samples += 1
        if (sends) for (const signal of ['SIGINT', 'SIGTERM'] as const) process.kill(pid, signal)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
        if (fd !== undefined) closeSync(fd)
        this.#files.delete(pid)
      }
    }
  }

  /** Or is being reaped, and has no signals any more. */
  #isProtected(pid: number, fd: number | undefined): boolean {
    if (fd === undefined) {
      const { ignored } = stateOf(pid)
      return (ignored.includes('SIGINT') && ignored.includes('SIGTERM')) || !isAlive(pid)
    }
    const text = this.#buffer.toString('latin1', 0, readSync(fd, this.#buffer, 0, 4096, 0))
    const ignored = BigInt(`0x${/^SigIgn:\t([0-9a-f]+)$/m.exec(text)?.[1]}`)
    return /^State:\t[ZX]|^Threads:\t0$/m.test(text) || (ignored & BOTH) === BOTH
  }

  end(): void {
    for (const fd of this.#files.values()) if (fd !== undefined) closeSync(fd)
  }
}

async function storm(enforce: 'guard' | false, sends: boolean) {
  const found = new Storm()
  const ends: unknown[] = []
  for (let i = 0; i < times(2); i += 1) {
    const child = ended(forkProtected(worker, { ignore: ['SIGINT', 'SIGTERM'], enforce, silent: true }))
    child.on('message', (pid: number) => {
      found.add(pid)
      child.send('go on')
    })
    found.add(child.pid as number)
    const exit = once(child, 'exit')
    let isRunning = true
    exit.finally(() => {
      isRunning = false
    })
    while (isRunning) {
      found.look(sends)
      await new Promise(setImmediate)
    }
    ends.push(await exit)
  }
  found.end()
  return { found, ends }
}

it('no worker and no grandchild is hit, from the first instruction to the last', async () => {
  const { found, ends } = await storm('guard', true)
  expect(ends).toEqual(Array(times(2)).fill([0, null]))
  expect(found.bad).toEqual([])
  expect(found.samples).toBeGreaterThan(100)
})

it('without the guard the samples show the gap', async () => {
  const { found } = await storm(false, false)
  expect(found.bad.length).toBeGreaterThan(0)
})
