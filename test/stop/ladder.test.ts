import type { ChildProcess } from 'node:child_process'
import { ExitEvent, type SpawnProtectedOptions, spawnProtected } from 'sigshield'
import { describe, expect, it, vi } from 'vitest'
import { limit } from '../support/limits.js'
import { NodeProgram } from '../support/node-program.js'
import { processOf } from '../support/process-table.mjs'
import { echo, ended, isAlive, line, until } from '../support/processes.js'

/** More than any test takes. */
const NEVER = 600_000

function bash(script: string, options: SpawnProtectedOptions = {}) {
  const stdio: ['pipe', 'pipe', 'inherit'] = ['pipe', 'pipe', 'inherit']
  return ended(spawnProtected('bash', ['-c', script], { ...options, stdio }))
}
const ready = async (child: ChildProcess) => expect(await line(child.stdout)).toBe('ready')

/** Hears SIGTERM, and nothing of an exit event. */
const ordinary = `trap 'echo TERM; exit 3' TERM; echo ready; while :; do sleep 0.01; done`
/** Hears nothing. */
const deaf = `trap 'echo TERM' TERM; echo ready; while :; do sleep 0.01; done`
/** Hears its event. */
const polite = `trap 'echo TERM' TERM; echo ready; until read -t 0 -u $SIGSHIELD_EXIT_FD; do sleep 0.01; done; exit 4`

it('the time in which this process computes counts', async () => {
  const child = bash(deaf)
  await ready(child)
  const since = performance.now()
  const stop = child.stop({ grace: [1000, 1000] })
  const computing = setInterval(() => {
    for (const end = performance.now() + 350; performance.now() < end; );
  }, 1)
  expect(await stop).toMatchObject({ forced: true })
  clearInterval(computing)
  // Not counted, it would be nine seconds.
  expect(performance.now() - since).toBeLessThan(limit(6000))
})

it('and what it has computed before does not, where a policy refuses to tell any more', async () => {
  const told = vi.spyOn(process, 'cpuUsage')
  try {
    const hour = 3_600_000_000
    told.mockReturnValueOnce({ user: hour, system: 0 }).mockImplementation(() => {
      throw Object.assign(new Error('operation not permitted'), { code: 'EPERM', syscall: 'uv_getrusage' })
    })
    const child = bash(deaf)
    await ready(child)
    expect(await child.stop({ grace: [200, 200] })).toMatchObject({ forced: true })
    expect(told.mock.calls.length).toBeGreaterThan(1)
  } finally {
    told.mockRestore()
  }
})

it('two that stop a child ask it once', async () => {
  const child = bash(`n=0; trap 'n=$((n + 1))' TERM; echo ready; read -r; echo $n`)
  await ready(child)
  const stops = [child.stop({ grace: NEVER }), child.stop({ grace: NEVER })]
  // bash runs a trap between two commands: both signals would have come before its input.
  await new Promise((resolve) => setTimeout(resolve, 50))
  void child.stop({ grace: NEVER })
  await new Promise((resolve) => setTimeout(resolve, 50))
  child.stdin.write('go\n')
  expect(await line(child.stdout)).toBe('1')
  expect(await stops[0]).toEqual({ code: 0, signal: null, forced: false })
})

describe('a child that was asked by its event', () => {
  it('and does not know it, is sent SIGTERM when its grace is over', async () => {
    const child = bash(ordinary, { exitEvent: new ExitEvent() })
    await ready(child)
    const heard = line(child.stdout)
    expect(await child.stop({ grace: [20, NEVER] })).toEqual({ code: 3, signal: null, forced: false })
    expect(await heard).toBe('TERM')
  })

  it('and neither knows it nor obeys SIGTERM, is killed after a second grace', async () => {
    const child = bash(deaf, { exitEvent: new ExitEvent() })
    await ready(child)
    const heard = line(child.stdout)
    expect(await child.stop({ grace: [20, 1000] })).toEqual({ code: null, signal: 'SIGKILL', forced: true })
    expect(await heard).toBe('TERM')
  })

  it('and leaves, is sent nothing (the control)', async () => {
    const child = bash(polite, { exitEvent: new ExitEvent() })
    await ready(child)
    const heard = line(child.stdout).catch(({ message }) => message)
    expect(await child.stop({ grace: [NEVER, 0] })).toEqual({ code: 4, signal: null, forced: false })
    expect(await heard).toBe("the stream ended after ''")
  })

  it('and ignores SIGTERM, is killed when its grace is over, with no second one', async () => {
    const child = bash(deaf, { exitEvent: new ExitEvent(), ignore: ['SIGTERM'] })
    await ready(child)
    expect(await child.stop({ grace: [20, NEVER] })).toEqual({ code: null, signal: 'SIGKILL', forced: true })
  })

  it('stays in its second grace when a later call would lengthen it, and is killed by one that ends it', async () => {
    const child = bash(deaf, { exitEvent: new ExitEvent() })
    await ready(child)
    const stopping = child.stop({ grace: [20, NEVER] })
    expect(await line(child.stdout)).toBe('TERM')
    const later = child.stop({ grace: NEVER })
    expect(isAlive(child.pid as number)).toBe(true)
    expect(await child.stop({ grace: 0 })).toEqual({ code: null, signal: 'SIGKILL', forced: true })
    expect(await Promise.all([stopping, later])).toEqual([await child.stop(), await child.stop()])
  })
})

describe('without a first grace', () => {
  it('SIGTERM comes at once, where a second grace is named', async () => {
    const child = bash(ordinary, { exitEvent: new ExitEvent() })
    await ready(child)
    expect(await child.stop({ grace: [0, NEVER] })).toEqual({ code: 3, signal: null, forced: false })
  })

  it('nobody is asked where none is: not even one that hears nothing is refused', async () => {
    const child = bash(deaf, { ignore: ['SIGTERM'] })
    await ready(child)
    await expect(child.stop()).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
    expect(await child.stop({ grace: 0 })).toEqual({ code: null, signal: 'SIGKILL', forced: true })
  })
})

it('a child of a protected process ends by SIGTERM, which it could not handle, and so is forced', async () => {
  const program = `
    import { spawnProtected } from 'sigshield'
    const child = spawnProtected('sleep', ['1000'], { stdio: 'ignore' })
    await child.stop({ signal: 'SIGTERM' }).catch(({ code }) => console.log(code))
    console.log(JSON.stringify(await child.stop({ grace: 600_000 })))`
  const args = ['--input-type=module', '-e', program]
  const parent = ended(spawnProtected(process.execPath, args, { ignore: ['SIGTERM'], enforce: true }))
  const first = await line(parent.stdout)
  expect([first, await line(parent.stdout)]).toEqual([
    'ERR_INVALID_ARG_VALUE',
    JSON.stringify({ code: null, signal: 'SIGTERM', forced: true }),
  ])
})

it.each([
  [{ grace: [1] }, 'ERR_INVALID_ARG_VALUE'],
  [{ grace: [1, 2, 3] }, 'ERR_INVALID_ARG_VALUE'],
  [{ grace: [1, -1] }, 'ERR_OUT_OF_RANGE'],
  [{ grace: ['1', 1] }, 'ERR_INVALID_ARG_TYPE'],
  [{ target: 'family' }, 'ERR_INVALID_ARG_TYPE'],
  [null, 'ERR_INVALID_ARG_TYPE'],
])('refuses %j, and the child runs on', async (wrong, code) => {
  const child = ended(spawnProtected('cat'))
  await expect(child.stop(wrong as never)).rejects.toMatchObject({ code })
  expect(await echo(child, 'running')).toBe('running')
})

describe('the end of a child is the library’s', () => {
  it('not its emitter’s: removeAllListeners() holds back nothing', async () => {
    const child = bash(polite, { exitEvent: new ExitEvent() })
    await ready(child)
    const stopping = child.stop({ grace: NEVER })
    child.removeAllListeners()
    expect(await stopping).toEqual({ code: 4, signal: null, forced: false })
  })

  it('nor its listeners’: what they throw is an uncaughtException, and nothing else', async () => {
    const program = new NodeProgram(`
      import { ExitEvent, spawnProtected } from 'sigshield'
      process.on('uncaughtException', ({ message }) => console.log('uncaught', message))
      const child = spawnProtected('bash', ['-c', ${JSON.stringify(polite)}], { exitEvent: new ExitEvent() })
      child.stdout.once('data', async () => {
        child.on('exit', () => { throw new Error('of exit') })
        child.on('close', () => console.log('close'))
        console.log(JSON.stringify(await child.stop({ grace: 600_000 })))
      })`)
    const { rest, code } = await program.end()
    expect([rest.sort(), code]).toEqual([
      ['close', 'uncaught of exit', '{"code":4,"signal":null,"forced":false}'].sort(),
      0,
    ])
  })
})

describe('stop() keeps this process alive', () => {
  const code = (stop: string) => `
    import { spawnProtected } from 'sigshield'
    const child = spawnProtected('sh', ['-c', 'trap "" TERM; exec sleep 1000'], { stdio: 'ignore' })
    console.log(child.pid)
    child.unref()
    ${stop}
    console.log('stopped')`

  it('until the child has ended, also when it is unref’d', async () => {
    const program = new NodeProgram(code('await child.stop({ grace: [20, 20] })'))
    const pid = Number(await program.line())
    const { rest, ...exit } = await program.end()
    expect([rest, exit]).toEqual([['stopped'], { code: 0, signal: null }])
    expect(isAlive(pid)).toBe(false)
  })

  it('and nothing else does (the control)', async () => {
    const program = new NodeProgram(code(''))
    const pid = Number(await program.line())
    const { rest, ...exit } = await program.end()
    expect([rest, exit]).toEqual([['stopped'], { code: 0, signal: null }])
    expect(isAlive(pid)).toBe(true)
    process.kill(pid, 'SIGKILL')
  })
})

describe('time that a child spends stopped does not count', () => {
  const isStopped = (child: ChildProcess) => () => processOf(child.pid as number)?.state === 'T'

  it('it has its grace when it goes on', async () => {
    const child = bash(polite.replace('exit 4', 'sleep 0.2; exit 4'), { exitEvent: new ExitEvent() })
    await ready(child)
    const stopping = child.stop({ grace: [1000, 0] })
    child.kill('SIGSTOP')
    await until(isStopped(child), 'the child is stopped')
    // Longer than both graces: were they counted, it would be dead now. It is not, as it leaves by itself below.
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(isAlive(child.pid as number)).toBe(true)
    child.kill('SIGCONT')
    expect(await stopping).toEqual({ code: 4, signal: null, forced: false })
  })

  it('that this process spends stopped neither', async () => {
    const program = new NodeProgram(`
      import { ExitEvent, spawnProtected } from 'sigshield'
      const child = spawnProtected('bash', ['-c', ${JSON.stringify(polite.replace('exit 4', 'sleep 0.2; exit 4'))}], {
        exitEvent: new ExitEvent(), stdio: ['ignore', 'pipe', 'inherit'],
      })
      child.stdout.once('data', async () => {
        console.log(child.pid)
        console.log(JSON.stringify(await child.stop({ grace: [1000, 0] })))
      })`)
    const pid = Number(await program.line())
    for (const one of [program.pid, pid]) process.kill(one, 'SIGSTOP')
    await until(() => [program.pid, pid].every((one) => processOf(one)?.state === 'T'), 'both are stopped')
    // As above.
    await new Promise((resolve) => setTimeout(resolve, 1500))
    for (const one of [program.pid, pid]) process.kill(one, 'SIGCONT')
    expect((await program.end()).rest).toEqual([JSON.stringify({ code: 4, signal: null, forced: false })])
  })

  it('but of one that stopped itself at the terminal it does: nobody would let it go on', async () => {
    const script = `trap '' TERM; echo ready; kill -TTIN $$; echo on; kill -TTIN $$; while :; do sleep 0.01; done`
    // In a group that is not orphaned, as those are not stopped by it (setpgid(2)).
    const child = bash(script, { processGroup: true })
    await ready(child)
    await until(isStopped(child), 'the child is stopped')
    expect(await child.stop({ grace: 300 })).toEqual({ code: null, signal: 'SIGKILL', forced: true })
  })
})

/** One that root has started, and that nobody may signal any more, as its parent has become nobody. */
describe.runIf(process.getuid?.() === 0)('a child that this process may not signal', () => {
  const slow = polite.replace('exit 4', 'sleep 0.2; exit 4')

  it('is refused at once where a signal is all that asks, and lives on; where an event asks it may leave', async () => {
    const program = new NodeProgram(`
      import { ExitEvent, spawnProtected } from 'sigshield'
      const tell = (what) => console.log(JSON.stringify(what))
      const silent = spawnProtected('sleep', ['1000'], { stdio: 'ignore' })
      const child = spawnProtected('bash', ['-c', ${JSON.stringify(slow)}], { exitEvent: new ExitEvent(), stdio: ['ignore', 'pipe', 'inherit'] })
      child.stdout.once('data', async () => {
        tell(silent.pid)
        process.setuid(65534)
        await silent.stop().catch(({ code, syscall }) => tell({ code, syscall }))
        tell(await child.stop({ grace: 600_000 }))
        silent.unref()
      })`)
    const pid = Number(await program.line())
    expect((await program.end()).rest.map((text) => JSON.parse(text))).toEqual([
      { code: 'EPERM', syscall: 'kill' },
      { code: 4, signal: null, forced: false },
    ])
    expect(isAlive(pid)).toBe(true)
    process.kill(pid, 'SIGKILL')
  })

  it('keeps a supervisor from none of the others, and is told when they have gone', async () => {
    const program = new NodeProgram(`
      import { Supervisor } from 'sigshield'
      const tell = (what) => console.log(JSON.stringify(what))
      const supervisor = new Supervisor({ grace: [1000, 100] })
      const deaf = supervisor.spawn('sleep', ['1000'], { stdio: 'ignore' })
      const child = supervisor.spawn('bash', ['-c', ${JSON.stringify(slow)}], { stdio: ['ignore', 'pipe', 'inherit'] })
      supervisor.on('exit', ({ code }) => tell(code))
      child.stdout.once('data', async () => {
        tell(deaf.pid)
        process.setuid(65534)
        await supervisor.shutdown().catch(({ code, syscall, errors }) => tell({ code, syscall, errors }))
        deaf.unref()
      })`)
    const pid = Number(await program.line())
    expect((await program.end()).rest.map((text) => JSON.parse(text))).toEqual([4, { code: 'EPERM', syscall: 'kill' }])
    expect(isAlive(pid)).toBe(true)
    process.kill(pid, 'SIGKILL')
  })
})
