import { once } from 'node:events'
import { constants } from 'node:os'
import { type ProtectedProcess, Supervisor, type SupervisorOptions } from 'sigshield'
import { describe, expect, it, onTestFinished } from 'vitest'
import { NodeProgram } from '../support/node-program.js'
import { ended, isAlive, line, until } from '../support/processes.js'
import { signalState } from '../support/signal-state.js'

const NEVER = 600_000

function newSupervisor(options: SupervisorOptions = {}): Supervisor {
  const supervisor = new Supervisor(options)
  onTestFinished(async () => {
    await supervisor.shutdown({ grace: 0 })
  })
  return supervisor
}

const polite = `echo ready; until read -t 0 -u $SIGSHIELD_EXIT_FD; do sleep 0.01; done; echo asked`

async function startPolite(supervisor: Supervisor): Promise<ProtectedProcess> {
  const child = ended(supervisor.spawn('bash', ['-c', polite]))
  expect(await line(child.stdout)).toBe('ready')
  return child
}

describe('while it closes, the most natural programs go on', () => {
  const respawning: Record<string, string> = {
    'that start another at every exit': `supervisor.on('exit', () => start())`,
    'that do so at the exit of a child': `onStart = (child) => child.on('exit', () => start())`,
    'that do so when its streams have ended': `onStart = (child) => child.on('close', () => start())`,
    'that wait a little first': `onStart = (child) => child.on('exit', () => setTimeout(start, 1))`,
    'that wait for a promise': `onStart = async (child) => { await once(child, 'exit'); start() }`,
    'that talk to it at once': `onStart = (child) => child.on('exit', () => { const next = start(); next.stdin.write('job'); next.stdout.on('data', () => {}) })`,
  }

  it.each(Object.entries(respawning))('%s', async (_which, how) => {
    const program = new NodeProgram(`
      import { once } from 'node:events'
      import { Supervisor } from 'sigshield'
      const supervisor = new Supervisor({ grace: 600_000 })
      let onStart = () => {}
      let count = 0
      function start() {
        const child = supervisor.spawn('bash', ['-c', ${JSON.stringify(polite)}])
        if (child.pid !== undefined) {
          count += 1
          child.stdout.once('data', () => { console.log('ready') })
        }
        onStart(child)
        return child
      }
      ${how}
      supervisor.handleSignals()
      start(); start()
      process.on('exit', () => console.log('exit'))
      let ends = 0
      supervisor.on('exit', ({ code }) => console.log('joined', code, ++ends, count))`)
    await program.says('ready', 'ready')
    program.kill('SIGTERM')
    expect(await program.end()).toEqual({ rest: ['joined 0 1 2', 'joined 0 2 2'], code: null, signal: 'SIGTERM' })
  })

  it('what is not started any more has streams that end, takes messages, and no event', async () => {
    const supervisor = newSupervisor()
    const child = await startPolite(supervisor)
    const events: string[] = []
    const shutdown = supervisor.shutdown({ grace: NEVER })
    expect(supervisor.closing).toBe(true)
    const late = supervisor.spawn('cat')
    const worker = supervisor.fork('no-such-worker.mjs', { silent: true })
    for (const one of [late, worker]) {
      for (const event of ['spawn', 'error', 'exit', 'close']) one.on(event, () => events.push(event))
    }
    worker.send('job')
    late.stdin.write('job')
    late.stdin.on('error', () => {})
    late.stdout.resume()
    await once(late.stdout, 'close')
    await shutdown
    await new Promise(setImmediate)
    expect([events.filter((event) => event !== 'error'), late.pid, worker.pid]).toEqual([[], undefined, undefined])
    expect([child.exitCode, supervisor.counts.started]).toEqual([0, 1])
    expect(() => supervisor.spawn('cat')).toThrow(expect.objectContaining({ code: 'ERR_INVALID_STATE' }))
  })
})

it('a start that comes after all have gone ends no process that still has to finish', async () => {
  const program = new NodeProgram(`
    import { Supervisor } from 'sigshield'
    const supervisor = new Supervisor()
    supervisor.handleSignals({
      before: async () => {
        const late = new Supervisor()
        late.handleSignals()
        for (const one of [supervisor, late]) await one.shutdown()
        await new Promise((resolve) => setTimeout(resolve, 20)) // So that both would be closed.
        for (const one of [supervisor, late]) console.log(one.spawn('true').pid, await one.restart())
      },
    })
    const child = supervisor.spawn('bash', ['-c', ${JSON.stringify(polite)}])
    child.stdout.once('data', () => console.log('ready'))`)
  await program.says('ready')
  program.kill('SIGTERM')
  expect(await program.end()).toEqual({ rest: ['undefined []', 'undefined []'], code: null, signal: 'SIGTERM' })
})

it('one child is stopped without a word to the others', async () => {
  const supervisor = newSupervisor()
  const [one, other] = [await startPolite(supervisor), await startPolite(supervisor)]
  expect(await one.stop({ grace: NEVER })).toEqual({ code: 0, signal: null, forced: false })
  expect([one.exitEvent?.isSet(), other.exitEvent?.isSet(), supervisor.exitEvent.isSet()]).toEqual([true, false, false])
  const asked = line(other.stdout)
  supervisor.exitEvent.set()
  expect(await asked).toBe('asked')
})

it('what listeners throw is an uncaughtException, and holds back nothing', async () => {
  const program = new NodeProgram(`
    import { Supervisor } from 'sigshield'
    process.on('uncaughtException', ({ message }) => console.log('uncaught', message))
    const supervisor = new Supervisor()
    supervisor.on('exit', () => { throw new Error('of the supervisor') })
    supervisor.handleSignals()
    for (let i = 0; i < 2; i += 1) {
      const child = supervisor.spawn('bash', ['-c', ${JSON.stringify(polite)}])
      child.on('exit', () => { throw new Error('of a child') })
      child.stdout.once('data', () => console.log('ready'))
    }`)
  await program.says('ready', 'ready')
  program.kill('SIGTERM')
  const { rest, signal } = await program.end()
  expect([rest.sort(), signal]).toEqual([
    ['uncaught of a child', 'uncaught of a child', 'uncaught of the supervisor', 'uncaught of the supervisor'],
    'SIGTERM',
  ])
})

it('learns of an end whatever becomes of the emitters', async () => {
  const supervisor = newSupervisor()
  const children = [await startPolite(supervisor), await startPolite(supervisor)]
  for (const child of children) child.removeAllListeners()
  const outcomes = await supervisor.shutdown({ grace: NEVER })
  expect(outcomes.map(({ child, code }) => [children.indexOf(child), code])).toEqual([
    [0, 0],
    [1, 0],
  ])
  expect(supervisor.children.size).toBe(0)
})

it('a child that has ended is none of the children, and its own listener may shut down: its outcome is not lost', async () => {
  const supervisor = newSupervisor()
  const other = await startPolite(supervisor)
  const child = ended(supervisor.spawn('sh', ['-c', 'exit 3'], { stdio: 'ignore' }))
  const [children, outcomes] = await new Promise<[ProtectedProcess[], Promise<{ code: number | null }[]>]>(
    (resolve) => {
      child.on('exit', () => resolve([[...supervisor.children], supervisor.shutdown({ grace: NEVER })]))
    },
  )
  expect(children).toEqual([other])
  expect((await outcomes).map(({ code }) => code).sort()).toEqual([0, 3])
})

it.each([
  ['its time-out', { timeout: 60_000 }],
  ['an AbortSignal', { signal: new AbortController().signal }],
  ['the death of its parent', { parentDeathSignal: 'SIGTERM' }],
] as const)('by default a child hears the signal of %s, though this process handles it', async (_what, options) => {
  const supervisor = newSupervisor()
  using _handling = supervisor.handleSignals(['SIGTERM', 'SIGUSR2'])
  const child = ended(supervisor.spawn('sleep', ['1000'], options))
  expect(signalState(child.pid as number).ignored).toEqual([constants.signals.SIGINT, constants.signals.SIGUSR2])
})

describe('what can not work together is refused', () => {
  const wrong = { code: 'ERR_INVALID_ARG_VALUE' }

  it.each<[string, SupervisorOptions]>([
    ['a group that no child leads', { target: 'group' }],
    ['a signal that they ignore by default', { signal: 'SIGINT' }],
    ['a signal that they ignore', { signal: 'SIGUSR1', ignore: ['SIGUSR1'] }],
    ['a signal that they block', { signal: 'SIGUSR1', block: ['SIGUSR1'] }],
    ['a foreground that ignores Ctrl-C', { foreground: true, ignore: ['SIGINT'] }],
  ])('by the constructor: %s', (_which, options) => {
    expect(() => new Supervisor(options)).toThrow(expect.objectContaining(wrong))
  })

  it('by the start: a child that could not be stopped as all are', () => {
    const supervisor = newSupervisor({ signal: 'SIGUSR1' })
    expect(() => supervisor.spawn('cat', { ignore: ['SIGUSR1'] })).toThrow(expect.objectContaining(wrong))
    const grouped = newSupervisor({ target: 'group', processGroup: true })
    expect(() => grouped.spawn('cat', { processGroup: false })).toThrow(expect.objectContaining(wrong))
    expect([supervisor.children.size, grouped.children.size]).toEqual([0, 0])
  })

  it('by shutdown(), before anything is stopped', async () => {
    const supervisor = newSupervisor()
    const child = await startPolite(supervisor)
    await expect(supervisor.shutdown({ signal: 'SIGINT' })).rejects.toMatchObject(wrong)
    await expect(supervisor.shutdown({ target: 'group' })).rejects.toMatchObject(wrong)
    expect([supervisor.closing, child.exitEvent?.isSet()]).toEqual([false, false])
  })

  it.each([null, 1, 'SIGINT', [], () => {}])('and %j is no options object', async (value) => {
    const type = { code: 'ERR_INVALID_ARG_TYPE' }
    expect(() => new Supervisor(value as never)).toThrow(expect.objectContaining(type))
    await expect(newSupervisor().shutdown(value as never)).rejects.toMatchObject(type)
    await expect(newSupervisor().restart(value as never)).rejects.toMatchObject(type)
    if (!Array.isArray(value)) {
      expect(() => newSupervisor().handleSignals(value as never)).toThrow(expect.objectContaining(type))
    }
  })
})

it('what a crashed leader of a group leaves behind ends with it', async () => {
  const supervisor = newSupervisor({ target: 'group', processGroup: true })
  const child = ended(supervisor.spawn('bash', ['-c', 'sleep 1000 & echo $!; exit 3']))
  const pid = Number(await line(child.stdout))
  await until(() => !isAlive(pid), 'its child is gone')
})

it('an option that is undefined has the supervisor’s default', async () => {
  const supervisor = newSupervisor({ ignore: ['SIGUSR1'] })
  const child = ended(supervisor.spawn('bash', ['-c', 'kill -USR1 $$; echo alive; read'], { ignore: undefined }))
  expect(await line(child.stdout)).toBe('alive')
})

it('counts for ever, and keeps the last hundred whole', async () => {
  const supervisor = newSupervisor()
  const COUNT = 120
  for (let i = 0; i < COUNT; i += 1) {
    const child = supervisor.spawn('sh', ['-c', `exit ${i % 2}`], { stdio: 'ignore' })
    await once(child, 'exit')
  }
  const outcomes = await supervisor.shutdown()
  expect(outcomes).toHaveLength(100)
  expect(supervisor.counts).toEqual({ started: COUNT, ended: COUNT, failed: COUNT / 2, forced: 0, restarted: 0 })
})
