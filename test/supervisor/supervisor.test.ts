import childProcess from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Supervisor } from 'sigshield'
import { describe, expect, it, onTestFinished } from 'vitest'
import { children, settles } from '../support/census.js'
import { closed, echo, ended, isAlive, line, until } from '../support/processes.js'

const parent = join(import.meta.dirname, '../support/supervisor/supervising-parent.mjs')
const NEVER = 600_000

/** Whatever becomes of the test, nothing of it lives on. */
function newSupervisor(...options: ConstructorParameters<typeof Supervisor>): Supervisor {
  const supervisor = new Supervisor(...options)
  onTestFinished(async () => {
    await supervisor.shutdown({ grace: 0 })
  })
  return supervisor
}

/** Leaves with its argument as code when the event is set. */
const polite = (code: number) => [
  '-c',
  `echo ready; until read -t 0 -u $SIGSHIELD_EXIT_FD; do sleep 0.01; done; exit ${code}`,
]
const deaf = ['-c', 'echo ready; while :; do sleep 0.01; done']

describe('a supervisor', () => {
  it('stops all at once and says how each ended', async () => {
    const supervisor = newSupervisor()
    const started = [
      supervisor.spawn('bash', polite(3)),
      supervisor.spawn('bash', polite(4)),
      supervisor.spawn('bash', deaf),
    ]
    for (const child of started) expect(await line(child.stdout)).toBe('ready')
    expect([...supervisor.children]).toEqual(started)
    // The polite ones have a long grace: they left because they were asked, while the deaf one still ran.
    const all = supervisor.shutdown({ grace: NEVER })
    await Promise.all(started.slice(0, 2).map((child) => child.exitCode ?? once(child, 'exit')))
    expect(isAlive(started[2]?.pid as number)).toBe(true)
    const again = supervisor.shutdown({ grace: 0 })
    const outcomes = [
      { child: started[0], code: 3, signal: null, forced: false },
      { child: started[1], code: 4, signal: null, forced: false },
      { child: started[2], code: null, signal: 'SIGKILL', forced: true },
    ]
    expect(await all).toEqual(outcomes)
    expect(await again).toEqual(outcomes)
    expect(await supervisor.shutdown()).toEqual(outcomes)
    expect(supervisor.children.size).toBe(0)
  })

  it('gives its defaults to children that do not say otherwise', async () => {
    const supervisor = newSupervisor({ ignore: ['SIGUSR1'], grace: 20 })
    const child = supervisor.spawn('cat')
    const other = supervisor.spawn('cat', { ignore: [] })
    expect(await echo(child, 'one')).toBe('one')
    expect(await echo(other, 'two')).toBe('two')
    other.kill('SIGUSR1')
    expect(await closed(other)).toEqual({ code: null, signal: 'SIGUSR1' })
    child.kill('SIGUSR1')
    expect(await echo(child, 'three')).toBe('three')
    // It does not know the event, so its grace ends with SIGTERM.
    expect((await supervisor.shutdown()).map(({ signal }) => signal)).toEqual(['SIGUSR1', 'SIGTERM'])
  })

  it('reports a child that dies early: to its listener, or else at the end', async () => {
    const unheard = newSupervisor()
    const lost = unheard.spawn('sh', ['-c', 'exit 5'])
    await closed(lost)
    expect(await unheard.shutdown()).toEqual([{ child: lost, code: 5, signal: null, forced: false }])

    const heard = newSupervisor()
    const told = once(heard, 'exit')
    const child = heard.spawn('sh', ['-c', 'exit 6'])
    expect(await told).toEqual([{ child, code: 6, signal: null, forced: false }])
    expect(await heard.shutdown()).toEqual([])
  })

  it('forks Node workers, whose exit event is its own', async () => {
    const supervisor = newSupervisor()
    const worker = supervisor.fork(join(import.meta.dirname, '../support/exit-event/worker.mjs'), { silent: true })
    expect(await once(worker, 'message')).toEqual([{ connected: true, isSet: false, aborted: false }, undefined])
    worker.send('wait')
    expect(await once(worker, 'message')).toEqual(['waiting', undefined])
    expect(await supervisor.shutdown({ grace: NEVER })).toEqual([
      { child: worker, code: 0, signal: null, forced: false },
    ])
  })

  it('starts nothing while it shuts down', async () => {
    const supervisor = newSupervisor()
    const child = supervisor.spawn('bash', polite(0))
    expect(await line(child.stdout)).toBe('ready')
    const shutdown = supervisor.shutdown({ grace: NEVER })
    const family = children()
    expect(supervisor.closing).toBe(true)
    const refused = [supervisor.spawn('true'), supervisor.fork('x.mjs')]
    expect(refused.map(({ pid }) => pid)).toEqual([undefined, undefined])
    expect(children().length).toBeLessThanOrEqual(family.length)
    await shutdown
    await new Promise(setImmediate)
    expect(() => supervisor.spawn('true')).toThrow(expect.objectContaining({ code: 'ERR_INVALID_STATE' }))
  })

  it('refuses what is wrong, and goes on', async () => {
    expect(() => new Supervisor({ grace: -1 })).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }))
    expect(() => new Supervisor({ signal: 'SIGNO' as never })).toThrow(
      expect.objectContaining({ code: 'ERR_UNKNOWN_SIGNAL' }),
    )
    const supervisor = newSupervisor()
    await expect(supervisor.shutdown({ grace: -1 })).rejects.toMatchObject({ code: 'ERR_OUT_OF_RANGE' })
    expect(() => supervisor.spawn('true', 'wrong' as never)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    )
    expect(() => supervisor.handleSignals(['SIGNO' as never])).toThrow(
      expect.objectContaining({ code: 'ERR_UNKNOWN_SIGNAL' }),
    )
    expect(() => supervisor.handleSignals(['SIGUSR2', 34])).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
    )
    for (const signal of ['SIGKILL', 'SIGSTOP', 'SIGSEGV', 'SIGCHLD'] as const) {
      const message = expect.stringContaining(`'options.signals[1]' must not be ${signal}`)
      expect(() => supervisor.handleSignals({ signals: ['SIGUSR2', signal] })).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE', message }),
      )
    }
    for (const restart of [{ when: 'on-failur' }, { limit: 1 }, { when: false }]) {
      const message = expect.stringContaining('"options.restart.when" property')
      expect(() => supervisor.spawn('true', { restart } as object)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE', message }),
      )
    }
    expect(process.listenerCount('SIGUSR2')).toBe(0)
    const missing = supervisor.spawn('sigshield-no-such-command')
    expect((await once(missing, 'error'))[0]).toMatchObject({ code: 'ENOENT' })
    const child = supervisor.spawn('cat')
    expect(await echo(child, 'running')).toBe('running')
  })

  it('puts the handlers back', () => {
    const before = ['SIGINT', 'SIGTERM', 'SIGHUP'].map((name) => process.listeners(name as NodeJS.Signals))
    const supervisor = newSupervisor()
    const handling = supervisor.handleSignals()
    expect(process.listenerCount('SIGINT')).toBe((before[0]?.length ?? 0) + 1)
    handling[Symbol.dispose]()
    expect(['SIGINT', 'SIGTERM', 'SIGHUP'].map((name) => process.listeners(name as NodeJS.Signals))).toEqual(before)
  })
})

describe('the recipe: handleSignals()', () => {
  const leaving = 'echo up; until read -t 0 -u $SIGSHIELD_EXIT_FD; do sleep 0.01; done; exit 7'
  const staying = 'echo up; while :; do sleep 0.01; done'
  const left = JSON.stringify({ code: 7, signal: null, forced: false })
  const killed = JSON.stringify({ code: null, signal: 'SIGKILL', forced: true })

  const asked = '"asked"'

  async function lines(child: childProcess.ChildProcess, count: number): Promise<string[]> {
    const seen = []
    while (seen.length < count) seen.push(await line(child.stdout))
    return seen
  }

  async function start(script: string, grace = NEVER) {
    const family = children()
    const args = [parent, script, String(grace)]
    const child = ended(
      childProcess.spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true }),
    )
    expect(await line(child.stdout)).toBe('"ready"')
    return { child, family }
  }

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s: all leave, and then the parent ends by it', async (signal) => {
    const { child, family } = await start(leaving)
    const end = closed(child)
    child.kill(signal)
    expect(await lines(child, 3)).toEqual([asked, left, left])
    expect(await end).toEqual({ code: null, signal })
    await settles(children, family)
  })

  it('a Ctrl-C for the whole group reaches the parent alone', async () => {
    const { child } = await start(leaving)
    const end = closed(child)
    process.kill(-(child.pid as number), 'SIGINT')
    expect(await lines(child, 3)).toEqual([asked, left, left])
    expect(await end).toEqual({ code: null, signal: 'SIGINT' })
  })

  it('the same signal again within a second is taken for the same one', async () => {
    // Nothing but the second signal could kill them in the time that they take to leave.
    const { child } = await start(leaving.replace('exit', 'sleep 0.3; exit'))
    const end = closed(child)
    child.kill('SIGINT')
    expect(await line(child.stdout)).toBe(asked)
    child.kill('SIGINT')
    expect(await lines(child, 2)).toEqual([left, left])
    expect(await end).toEqual({ code: null, signal: 'SIGINT' })
  })

  it.each([
    // The second is the rule itself.
    ['another signal more than a second later', 'SIGTERM', 1100],
    ['the same signal more than a second later', 'SIGINT', 1100],
  ] as const)('%s kills those that have not left', async (_which, signal, later) => {
    const { child } = await start(staying)
    const end = closed(child)
    child.kill('SIGINT')
    expect(await line(child.stdout)).toBe(asked)
    await new Promise((resolve) => setTimeout(resolve, later))
    child.kill(signal)
    expect(await lines(child, 2)).toEqual([killed, killed])
    expect(await end).toEqual({ code: null, signal: 'SIGINT' })
  })

  it('children that stay are killed when their grace is over', async () => {
    const { child } = await start(staying, 50)
    const end = closed(child)
    child.kill('SIGTERM')
    expect(await lines(child, 3)).toEqual([asked, killed, killed])
    expect(await end).toEqual({ code: null, signal: 'SIGTERM' })
  })

  it('without it the parent dies at once (the control)', async () => {
    const code = `import { Supervisor } from 'sigshield'
      const supervisor = new Supervisor()
      const child = supervisor.spawn('sleep', ['1000'], { stdio: 'ignore', parentDeathSignal: true })
      console.log(child.pid)`
    const child = ended(
      childProcess.spawn(process.execPath, ['--input-type=module', '-e', code], {
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    )
    const pid = Number(await line(child.stdout))
    const end = closed(child)
    child.kill('SIGINT')
    expect(await end).toEqual({ code: null, signal: 'SIGINT' })
    await until(() => !isAlive(pid), 'its child is gone with it')
  })
})
