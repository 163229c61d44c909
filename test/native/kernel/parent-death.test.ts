/** What becomes of children when their parent dies. */
import childProcess from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { type SpawnProtectedOptions, spawnProtected } from 'sigshield'
import { describe, expect, it } from 'vitest'
import { times } from '../../support/limits.js'
import { allPids } from '../../support/process-table.mjs'
import { closed, ended, isAlive, line, until } from '../../support/processes.js'

/** Runs a parent that starts one child, on the same output, and prints its pid. */
function startParent(options: object, command: string[]) {
  const code = `import { spawnProtected } from 'sigshield'
    const [command, ...args] = ${JSON.stringify(command)}
    const child = spawnProtected(command, args, { stdio: 'inherit', ...${JSON.stringify(options)} })
    process.stdout.write(child.pid + '\\n')`
  const args = ['--input-type=module', '-e', code]
  return ended(childProcess.spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] }))
}

async function startFamily(options: object) {
  const parent = startParent(options, ['sleep', '1000'])
  return { parent, pid: Number(await line(parent.stdout)) }
}

describe('parentDeathSignal', () => {
  it.each([
    [true, {}],
    ['SIGKILL', {}],
    ['SIGTERM', {}],
    [15, {}],
    // The signal is set after the ids, whose change clears it.
    [true, { uid: 65534, gid: 65534 }],
    [true, { enforce: true }],
    [true, { detached: true }],
  ])('%j: ends the child of a parent that is killed, with %j', async (parentDeathSignal, options) => {
    const { parent, pid } = await startFamily({ parentDeathSignal, ...options })
    expect(isAlive(pid)).toBe(true)
    parent.kill('SIGKILL')
    await until(() => !isAlive(pid), 'the child is gone')
  })

  it('is the signal that it says', async () => {
    const script = `trap 'echo heard; exit' USR1; echo up; while :; do sleep 0.01; done`
    const parent = startParent({ parentDeathSignal: 'SIGUSR1' }, ['bash', '-c', script])
    expect([await line(parent.stdout), await line(parent.stdout)]).toContain('up')
    const heard = line(parent.stdout)
    parent.kill('SIGKILL')
    expect(await heard).toBe('heard')
  })

  it('is not sent without it (the control)', async () => {
    const { parent, pid } = await startFamily({})
    const end = closed(parent)
    parent.kill('SIGKILL')
    // The pipe is still the child's: it lives.
    await once(parent, 'exit')
    expect(isAlive(pid)).toBe(true)
    process.kill(pid, 'SIGKILL')
    await end
  })

  it.each<[SpawnProtectedOptions, string, string]>([
    [
      { parentDeathSignal: 'SIGFOO' as never },
      'ERR_UNKNOWN_SIGNAL',
      "Unknown signal: 'SIGFOO' in options.parentDeathSignal",
    ],
    [{ parentDeathSignal: {} as never }, 'ERR_INVALID_ARG_TYPE', 'signal'],
    [{ parentDeathSignal: 'SIGINT' }, 'ERR_INVALID_ARG_VALUE', "must not be a signal of 'options.ignore'"],
  ])('%j is refused', (options, code, message) => {
    expect(() => spawnProtected('true', options)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    )
  })

  it('is refused in a worker thread, with what to do instead', async () => {
    const code = `
      import { parentPort } from 'node:worker_threads'
      import { spawnProtected } from '${import.meta.resolve('sigshield')}'
      try { spawnProtected('true', { parentDeathSignal: true }) } catch ({ code, message }) { parentPort.postMessage([code, message]) }`
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`))
    const end = once(worker, 'exit')
    expect(await once(worker, 'message')).toEqual([
      ['ERR_FEATURE_UNAVAILABLE_ON_PLATFORM', expect.stringContaining('give it an exit event')],
    ])
    await end
  })
})

describe('a parent that is killed in the middle of hundreds of starts', () => {
  const script = join(import.meta.dirname, '../../support/native/kernel/starting-until-killed.mjs')

  /** Processes that were started under this name, or are about to be. */
  const marked = (mark: string) =>
    allPids().filter((pid) => {
      try {
        return isAlive(pid) && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(mark)
      } catch {
        return false
      }
    })

  async function killInTheMiddle(mark: string, options: object): Promise<void> {
    const parent = ended(
      childProcess.spawn(process.execPath, [script, mark, JSON.stringify(options)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    )
    expect(await line(parent.stdout)).toBe('hundred')
    const end = closed(parent)
    parent.kill('SIGKILL')
    await end
  }

  it('leaves nobody behind, with parentDeathSignal', async () => {
    for (let i = 0; i < times(8); i += 1) {
      const mark = `sigshield-mark-${process.pid}-${i}`
      await killInTheMiddle(mark, { parentDeathSignal: true })
      await until(() => marked(mark).length === 0, 'all are gone')
    }
  })

  it('leaves all that ran, without it (the control)', async () => {
    const mark = `sigshield-mark-${process.pid}-control`
    await killInTheMiddle(mark, {})
    const left = marked(mark)
    expect(left.length).toBeGreaterThanOrEqual(100)
    for (const pid of left) process.kill(pid, 'SIGKILL')
    await until(() => marked(mark).length === 0, 'all are gone')
  })
})
