import { once } from 'node:events'
import { copyFileSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ProtectedProcess, Supervisor, type SupervisorOptions } from 'sigshield'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ended, isAlive, line, temporaryFolder } from '../support/processes.js'

function newSupervisor(options: SupervisorOptions = {}): Supervisor {
  const supervisor = new Supervisor(options)
  onTestFinished(async () => {
    await supervisor.shutdown({ grace: 0 })
  })
  return supervisor
}

const polite = `echo ready; until read -t 0 -u $SIGSHIELD_EXIT_FD; do sleep 0.01; done`

describe('restart', () => {
  it('starts another child in place of one that has failed, with growing delays, and gives up', async () => {
    const log = join(temporaryFolder(), 'log')
    writeFileSync(log, '')
    const supervisor = newSupervisor({ restart: { when: 'on-failure', delay: 20, limit: 3 } })
    const restarts: ProtectedProcess[] = []
    supervisor.on('restart', ({ child, previous }) => {
      expect(previous.code).toBe(7)
      restarts.push(child)
    })
    const givenUp = once(supervisor, 'give-up')
    const first = supervisor.spawn('bash', ['-c', `echo $EPOCHREALTIME >> ${log}; exit 7`], { stdio: 'ignore' })
    const [{ child, code }] = await givenUp
    expect([child, code]).toEqual([restarts[2], 7])
    expect(new Set([first, ...restarts]).size).toBe(4)
    expect(supervisor.counts).toEqual({ started: 4, ended: 4, failed: 4, forced: 0, restarted: 3 })
    const times = readFileSync(log, 'utf8').trim().split('\n').map(Number)
    const gaps = times.slice(1).map((time, i) => (time - (times[i] as number)) * 1000)
    // No gap can be shorter than its delay; how much longer is the machine's affair.
    expect(gaps.map((gap, i) => gap >= 20 * 2 ** i - 1)).toEqual([true, true, true])
  })

  it.each([
    ['on-failure', 0],
    [false, 1],
  ] as const)('%j leaves one that ended with %i', async (restart, code) => {
    const supervisor = newSupervisor({ restart })
    await once(supervisor.spawn('sh', ['-c', `exit ${code}`], { stdio: 'ignore' }), 'exit')
    // What comes next on the same channel: a child that is restarted at once, beside it.
    const next = once(supervisor, 'restart')
    supervisor.spawn('sh', ['-c', 'exit 0'], { stdio: 'ignore', restart: { when: 'always', delay: 0 } })
    await next
    expect(supervisor.counts.restarted).toBeGreaterThanOrEqual(1)
    await supervisor.shutdown({ grace: 0 })
    expect(supervisor.counts.started).toBe(supervisor.counts.restarted + 2)
  })

  it('leaves one that was stopped, and starts nothing once it closes', async () => {
    const supervisor = newSupervisor({ restart: { when: 'always', delay: 0 } })
    const child = supervisor.spawn('bash', ['-c', polite])
    expect(await line(child.stdout)).toBe('ready')
    await child.stop()
    const other = supervisor.spawn('bash', ['-c', polite])
    expect(await line(other.stdout)).toBe('ready')
    const again = once(supervisor, 'restart')
    other.kill('SIGKILL')
    const [{ child: third }] = await again
    expect(await line(third.stdout)).toBe('ready')
    expect((await supervisor.shutdown()).map(({ child: one }) => one)).toContain(third)
    expect(supervisor.counts).toMatchObject({ started: 3, ended: 3, restarted: 1 })
  })

  it('takes a program that is gone for one that has failed', async () => {
    const folder = temporaryFolder()
    const file = join(folder, 'program')
    writeFileSync(file, '#!/bin/sh\nrm $0\nexit 1\n', { mode: 0o755 })
    const supervisor = newSupervisor({ restart: { when: 'always', delay: 0, limit: 2 } })
    const givenUp = once(supervisor, 'give-up')
    const child = supervisor.spawn(file, { stdio: 'ignore' })
    const [outcome] = await givenUp
    const error = expect.objectContaining({ code: 'ENOENT', syscall: `spawn ${file}` })
    expect(outcome).toEqual({ child, code: null, signal: null, forced: false, error })
    expect(supervisor.counts).toMatchObject({ started: 1, ended: 1, restarted: 0 })
  })

  it.each([1, 600_000])('leaves one whose AbortSignal is aborted, with %i ms to a restart', async (delay) => {
    const supervisor = newSupervisor({ restart: { when: 'always', delay } })
    const controller = new AbortController()
    const restarts: unknown[] = []
    supervisor.on('restart', (event) => restarts.push(event))
    const child = supervisor.spawn('sleep', ['1000'], { ignore: [], signal: controller.signal })
    const failed = once(child, 'error')
    const exit = once(supervisor, 'exit')
    controller.abort()
    expect((await failed)[0]).toMatchObject({ name: 'AbortError' })
    await exit
    // What comes next on the same channel: a child that is restarted at once, beside it.
    const next = once(supervisor, 'restart')
    supervisor.spawn('sh', ['-c', 'exit 0'], { stdio: 'ignore', restart: { when: 'always', delay: 5 } })
    await next
    await supervisor.shutdown({ grace: 0 })
    expect(restarts.map((event) => (event as { previous: { child: unknown } }).previous.child)).not.toContain(child)
  })

  it.each([
    ['sometimes', 'ERR_INVALID_ARG_TYPE'],
    [{ when: 'always', delay: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ when: 'always', limit: 0.5 }, 'ERR_OUT_OF_RANGE'],
    [null, 'ERR_INVALID_ARG_TYPE'],
    [{}, 'ERR_INVALID_ARG_TYPE'],
    [{ delay: 5 }, 'ERR_INVALID_ARG_TYPE'],
  ])('refuses %j', (restart, code) => {
    expect(() => new Supervisor({ restart: restart as never })).toThrow(expect.objectContaining({ code }))
    expect(() => newSupervisor().spawn('true', { restart } as never)).toThrow(expect.objectContaining({ code }))
  })
})

it('none is started again when all are told to leave, and one that starts later finds it so', async () => {
  const supervisor = newSupervisor({ restart: { when: 'always', delay: 0 } })
  const child = ended(supervisor.spawn('bash', ['-c', polite]))
  expect(await line(child.stdout)).toBe('ready')
  supervisor.exitEvent.set()
  expect(await once(child, 'exit')).toEqual([0, null])
  const late = ended(supervisor.spawn('bash', ['-c', polite]))
  expect(await once(late, 'exit')).toEqual([0, null])
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(supervisor.counts).toMatchObject({ started: 2, ended: 2, restarted: 0 })
})

describe('supervisor.restart()', () => {
  it('replaces one child after the other, the next when the last is ready', async () => {
    const supervisor = newSupervisor()
    const old: ProtectedProcess[] = []
    for (let i = 0; i < 3; i += 1) {
      const child = ended(supervisor.spawn('bash', ['-c', polite]))
      expect(await line(child.stdout)).toBe('ready')
      old.push(child)
    }
    const seen: boolean[][] = []
    const fresh = await supervisor.restart({
      ready: async (child) => {
        expect(await line(child.stdout)).toBe('ready')
        seen.push(old.map(({ pid }) => isAlive(pid as number)))
      },
    })
    expect(seen).toEqual([
      [false, true, true],
      [false, false, true],
      [false, false, false],
    ])
    expect([...supervisor.children]).toEqual(fresh)
    expect(supervisor.counts).toMatchObject({ started: 6, ended: 3, failed: 0, restarted: 3 })
    await supervisor.shutdown()
  })

  const startReady = async (supervisor: Supervisor) => {
    const child = ended(supervisor.spawn('bash', ['-c', polite]))
    expect(await line(child.stdout)).toBe('ready')
    return child
  }

  it('restarts nothing while it closes, and is refused when it is closed', async () => {
    const supervisor = newSupervisor()
    await startReady(supervisor)
    const shutdown = supervisor.shutdown()
    expect(await supervisor.restart()).toEqual([])
    await shutdown
    await new Promise(setImmediate)
    await expect(supervisor.restart()).rejects.toMatchObject({ code: 'ERR_INVALID_STATE' })
  })

  it('is cut short by a shutdown', async () => {
    const supervisor = newSupervisor()
    await startReady(supervisor)
    const second = await startReady(supervisor)
    const restart = supervisor.restart({ ready: () => new Promise(() => {}) })
    const [{ child }] = await once(supervisor, 'restart')
    await supervisor.shutdown()
    expect(await restart).toEqual([child])
    expect([second.exitCode, supervisor.counts.restarted]).toEqual([0, 1])
  })

  it('called twice takes turns: no place has two children', async () => {
    const supervisor = newSupervisor()
    await startReady(supervisor)
    const [[first], [second]] = await Promise.all([supervisor.restart(), supervisor.restart()])
    expect([...supervisor.children]).toEqual([second])
    expect(first?.exitCode ?? first?.signalCode).not.toBe(null)
    expect(await supervisor.shutdown()).toHaveLength(3)
    expect(supervisor.children.size).toBe(0)
  })

  it('stops at a child that ends before it is ready', async () => {
    const supervisor = newSupervisor()
    const flag = join(temporaryFolder(), 'flag')
    const script = `[ -e ${flag} ] && exit 7; ${polite}`
    for (let i = 0; i < 2; i += 1) {
      const child = supervisor.spawn('bash', ['-c', script])
      expect(await line(child.stdout)).toBe('ready')
    }
    const [, second] = [...supervisor.children]
    writeFileSync(flag, '')
    const restart = supervisor.restart({ ready: (child) => once(child, 'message') })
    await expect(restart).rejects.toMatchObject({ code: 'ERR_INVALID_STATE' })
    expect([...supervisor.children]).toEqual([second])
  })

  it('tells that a child could not be started, and its place goes on as it was told', async () => {
    const program = join(temporaryFolder(), 'program')
    copyFileSync('/bin/sleep', program)
    const supervisor = newSupervisor({ restart: { when: 'always', delay: 1, limit: 2 } })
    supervisor.spawn(program, ['1000'], { stdio: 'ignore' })
    unlinkSync(program)
    const givenUp = once(supervisor, 'give-up')
    await expect(supervisor.restart({ grace: 0 })).rejects.toMatchObject({ code: 'ENOENT', step: 'execve' })
    await givenUp
    await supervisor.shutdown()
  })
})
