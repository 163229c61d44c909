import { describe, expect, it } from 'vitest'
import { limit } from '../support/limits.js'
import { NodeProgram } from '../support/node-program.js'
import { isAlive, line } from '../support/processes.js'

/** Workers, who say 'up' when they are ready for a signal. The first leaves when it is asked, after `nap` seconds. */
const polite = (nap = 0) =>
  `echo up; until read -t 0 -u $SIGSHIELD_EXIT_FD; do sleep 0.01; done; sleep ${nap}; echo cleaned up`
const deaf = `echo up; while :; do sleep 0.01; done`

/** Says 'ready' when the workers run. */
function parent(code: string, workers: readonly string[] = [polite()]): string {
  return `
    import { Supervisor } from 'sigshield'
    const say = (text) => console.log(text)
    const work = (supervisor, script, options) => new Promise((resolve) => {
      const child = supervisor.spawn('bash', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'], ...options })
      child.stdout.on('data', (data) => data.toString() === 'up\\n' ? resolve(child) : say(data.toString().trim()))
    })
    const workers = ${JSON.stringify(workers)}
    ${code}
    say('ready')`
}

const simple = `
  const supervisor = new Supervisor({ grace: 600_000 })
  supervisor.on('exit', ({ signal }) => say('joined ' + signal))
  supervisor.handleSignals()
  await Promise.all(workers.map((script) => work(supervisor, script)))`

/** A listening server: nothing but the end by the signal would end the process. */
const server = `;(await import('node:http')).createServer(() => {}).listen(0, '127.0.0.1')`

it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s: all are asked and joined, and the process ends by it',
  async (signal) => {
    const program = new NodeProgram(parent(`${server}${simple}`))
    await program.says('ready')
    program.kill(signal)
    expect(await program.end()).toEqual({ rest: ['cleaned up', 'joined null'], code: null, signal })
  },
)

it('a signal that the program itself emits, without a word, is as one that came', async () => {
  const program = new NodeProgram(parent(`${server}${simple}\nprocess.once('SIGUSR2', () => process.emit('SIGINT'))`))
  await program.says('ready')
  program.kill('SIGUSR2')
  expect(await program.end()).toEqual({ rest: ['cleaned up', 'joined null'], code: null, signal: 'SIGINT' })
})

it('two supervisors: neither cuts off the other', async () => {
  const program = new NodeProgram(
    parent(
      `${server}
      for (const script of workers) {
        const supervisor = new Supervisor({ grace: 600_000 })
        supervisor.on('exit', ({ code }) => say('joined ' + code))
        supervisor.handleSignals()
        await work(supervisor, script)
      }
      say(process.listenerCount('SIGTERM'))`,
      [polite(), polite(0.3)],
    ),
  )
  await program.says('1', 'ready')
  program.kill('SIGTERM')
  const { rest, ...exit } = await program.end()
  expect(rest).toEqual(['cleaned up', 'joined 0', 'cleaned up', 'joined 0'])
  expect(exit).toEqual({ code: null, signal: 'SIGTERM' })
})

describe('beside the application', () => {
  it.each(['setImmediate', 'queueMicrotask'])(
    'that cleans up, and raises the signal again (%s), has the children leave first',
    async (later) => {
      const program = new NodeProgram(
        parent(
          `${server}${simple}
        process.once('SIGTERM', () => {
          say('cleanup')
          ${later}(() => process.kill(process.pid, 'SIGTERM'))
        })`,
          [polite(0.3)],
        ),
      )
      await program.says('ready')
      program.kill('SIGTERM')
      expect(await program.end()).toEqual({
        rest: ['cleanup', 'cleaned up', 'joined null'],
        code: null,
        signal: 'SIGTERM',
      })
    },
  )

  it('that raises it again when all have left ends the process', async () => {
    const program = new NodeProgram(
      parent(`${server}${simple}
        process.once('SIGTERM', () => {
          supervisor.once('exit', () => setTimeout(() => process.kill(process.pid, 'SIGTERM'), 100)) // Longer than they take.
        })`),
    )
    await program.says('ready')
    program.kill('SIGTERM')
    expect(await program.end()).toEqual({ rest: ['cleaned up', 'joined null'], code: null, signal: 'SIGTERM' })
  })

  it('a section of hold() that it is in is not cut off', async () => {
    const program = new NodeProgram(`
      import { Supervisor } from 'sigshield'
      import { hold } from 'sigshield/signals'
      const supervisor = new Supervisor({ grace: 600_000 })
      supervisor.handleSignals({
        before: () => void hold(['SIGTERM'], async () => {
          // Nobody is left to wait for.
          while (supervisor.children.size > 0) await new Promise(setImmediate)
          await new Promise((resolve) => setTimeout(resolve, 200)) // Without a section the end would have come.
          console.log('saved')
        }),
      })
      supervisor.spawn('bash', ['-c', 'until read -t 0 -u $SIGSHIELD_EXIT_FD; do sleep 0.01; done'])
      console.log('ready')`)
    await program.says('ready')
    program.kill('SIGTERM')
    expect(await program.end()).toEqual({ rest: ['saved'], code: null, signal: 'SIGTERM' })
  })

  it('whose listener takes over from it: the process is the application’s', async () => {
    const program = new NodeProgram(`
      import { Supervisor } from 'sigshield'
      const alive = setInterval(() => {}, 1000)
      const handling = new Supervisor().handleSignals(['SIGUSR2'])
      process.once('SIGUSR2', () => {
        handling[Symbol.dispose]()
        setImmediate(() => {
          // It is not asked for a signal that was another's.
          new Supervisor().handleSignals({ signals: ['SIGTERM'], before: (signal) => console.log(signal) })
          setImmediate(() => clearInterval(alive))
        })
      })
      console.log('ready')`)
    await program.says('ready')
    program.kill('SIGUSR2')
    expect(await program.end()).toEqual({ rest: [], code: 0, signal: null })
  })

  it.each(['before', 'after'])(
    'its own listener, added %s, is finished, and the process ends by the signal',
    async (when) => {
      const listen = `
      const listening = (await import('node:http')).createServer(() => {}).listen(0, '127.0.0.1')
      process.once('SIGTERM', () => setTimeout(() => listening.close(() => say('drained')), 500))`
      const program = new NodeProgram(parent(when === 'before' ? listen + simple : simple + listen))
      await program.says('ready')
      program.kill('SIGTERM')
      // Were it cut off, nothing would be drained: the worker has long gone.
      const { rest, ...exit } = await program.end()
      expect([rest, exit]).toEqual([['cleaned up', 'joined null', 'drained'], { code: null, signal: 'SIGTERM' }])
    },
  )

  it('its listener may end the process as it likes', async () => {
    const program = new NodeProgram(
      parent(`${server}${simple}\nprocess.on('SIGTERM', () => supervisor.on('exit', () => process.exit(7)))`),
    )
    await program.says('ready')
    program.kill('SIGTERM')
    expect(await program.end()).toMatchObject({ code: 7, signal: null })
  })

  it('its listener may say by process.exitCode how it ends', async () => {
    const code = "process.on('SIGTERM', () => supervisor.on('exit', () => { process.exitCode = 5 }))"
    const program = new NodeProgram(parent(`${simple}\n${code}`))
    await program.says('ready')
    program.kill('SIGTERM')
    expect(await program.end()).toMatchObject({ code: 5, signal: null })
  })

  it('its hook runs beside the children’s end, which waits for it', async () => {
    const program = new NodeProgram(
      parent(`
        ${server}
        const supervisor = new Supervisor({ grace: 600_000 })
        let joined = () => {}
        supervisor.on('exit', () => { say('joined'); joined() })
        supervisor.handleSignals({
          before: async (signal) => {
            say('before ' + signal)
            await new Promise((resolve) => { joined = resolve })
            await new Promise((resolve) => setTimeout(resolve, 20)) // So that an end without waiting would come first.
            say('drained')
          },
        })
        await Promise.all(workers.map((script) => work(supervisor, script)))`),
    )
    await program.says('ready')
    program.kill('SIGHUP')
    expect(await program.end()).toEqual({
      rest: ['before SIGHUP', 'cleaned up', 'joined', 'drained'],
      code: null,
      signal: 'SIGHUP',
    })
  })

  it('what its hook throws is an uncaughtException, and changes nothing else', async () => {
    const program = new NodeProgram(
      parent(`
        process.on('uncaughtException', ({ message }) => say('uncaught ' + message))
        const supervisor = new Supervisor({ grace: 600_000 })
        supervisor.on('exit', () => say('joined'))
        supervisor.handleSignals({ before: () => { throw new Error('hook') } })
        await Promise.all(workers.map((script) => work(supervisor, script)))`),
    )
    await program.says('ready')
    program.kill('SIGTERM')
    const { rest, signal } = await program.end()
    expect([rest, signal]).toEqual([['uncaught hook', 'cleaned up', 'joined'], 'SIGTERM'])
  })

  it.each(['signal-exit', 'signal-exit-3'])('hooks of %s run, once, when all have gone', async (name) => {
    const program = new NodeProgram(
      parent(`
        import * as library from '${name}'
        const onExit = library.onExit ?? library.default
        onExit((code, signal) => { say('hook ' + signal) })
        ${server}${simple}`),
    )
    await program.says('ready')
    program.kill('SIGTERM')
    expect(await program.end()).toEqual({
      rest: ['cleaned up', 'joined null', 'hook SIGTERM'],
      code: null,
      signal: 'SIGTERM',
    })
  })
})

describe('how often somebody has pressed', () => {
  const slow = [polite(0.4)]
  const left = ['cleaned up', 'joined null']

  it('another signal within a second is the same request, as a wrapper forwards it', async () => {
    const program = new NodeProgram(parent(`${simple}\nsupervisor.exitEvent.signal.onabort = () => say('asked')`, slow))
    await program.says('ready')
    program.kill('SIGINT')
    await program.says('asked')
    program.kill('SIGTERM')
    // The worker would have no time to clean up if it were killed.
    expect(await program.end()).toEqual({ rest: left, code: null, signal: 'SIGINT' })
  })

  it('the same signal once more too', async () => {
    const program = new NodeProgram(parent(`${simple}\nsupervisor.exitEvent.signal.onabort = () => say('asked')`, slow))
    await program.says('ready')
    program.kill('SIGINT')
    await program.says('asked')
    program.kill('SIGINT')
    expect(await program.end()).toEqual({ rest: left, code: null, signal: 'SIGINT' })
  })

  it('the third press kills, however fast they come', async () => {
    const program = new NodeProgram(parent(`${simple}\nprocess.on('SIGINT', () => say('pressed'))`, [deaf]))
    await program.says('ready')
    for (let press = 0; press < 3; press += 1) {
      program.kill('SIGINT')
      await program.says('pressed')
      // Presses are told apart by the time between them: nobody presses faster.
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    expect(await program.end()).toEqual({ rest: ['joined SIGKILL'], code: null, signal: 'SIGINT' })
  })

  it('and ends even a hook that never returns', async () => {
    const program = new NodeProgram(
      parent(
        `
        const supervisor = new Supervisor({ grace: 600_000 })
        supervisor.handleSignals({ before: () => { say('before'); return new Promise(() => {}) } })
        await Promise.all(workers.map((script) => work(supervisor, script)))`,
        [deaf],
      ),
    )
    await program.says('ready')
    program.kill('SIGTERM')
    await program.says('before')
    // The rule is a second.
    await new Promise((resolve) => setTimeout(resolve, 1100))
    program.kill('SIGTERM')
    expect(await program.end()).toEqual({ rest: [], code: null, signal: 'SIGTERM' })
  })
})

describe('what the children hear', () => {
  const nap = `trap 'echo interrupted' INT TERM HUP; ${polite(0.2)}`

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'not a %s for the whole group: the parent handles it',
    async (signal) => {
      const program = new NodeProgram(parent(simple, [nap, nap]), [], { detached: true })
      await program.says('ready')
      process.kill(-program.pid, signal)
      const { rest, ...exit } = await program.end()
      expect(rest.filter((text) => text === 'cleaned up')).toHaveLength(2)
      expect(exit).toEqual({ code: null, signal })
    },
  )

  it('where the parent does not handle it, they do (the control)', async () => {
    const program = new NodeProgram(
      parent(
        `const supervisor = new Supervisor(); const child = await work(supervisor, workers[0]); child.on('exit', (code, signal) => say(signal))
        process.on('SIGTERM', () => {})`,
        ['echo up; exec sleep 1000'],
      ),
      [],
      { detached: true },
    )
    await program.says('ready')
    process.kill(-program.pid, 'SIGTERM')
    expect((await program.end()).rest).toEqual(['SIGTERM'])
  })

  it('the signal by which they are stopped, also when the parent handles it', async () => {
    const program = new NodeProgram(
      parent(
        `
        const supervisor = new Supervisor({ signal: 'SIGTERM', grace: 600_000 })
        supervisor.handleSignals()
        await Promise.all(workers.map((script) => work(supervisor, script)))`,
        [`trap 'echo stopped; exit' TERM; ${deaf}`],
      ),
    )
    await program.says('ready')
    program.kill('SIGINT')
    expect(await program.end()).toEqual({ rest: ['stopped'], code: null, signal: 'SIGINT' })
  })
})

it('a worker thread, which gets no signals, is refused', async () => {
  const program = new NodeProgram(`
    import { Worker } from 'node:worker_threads'
    new Worker(\`import { Supervisor } from 'sigshield'
      try { new Supervisor().handleSignals() } catch ({ code, message }) { console.log(code + ': ' + message) }\`, { eval: true, type: 'module' })
      .on('error', (error) => console.log(error.message))`)
  const [text] = (await program.end()).rest
  expect(text).toMatch(/^ERR_FEATURE_UNAVAILABLE_ON_PLATFORM: .*main thread only|Cannot use import statement/)
})

it('all is as it was when it is disposed of, in any order', async () => {
  const program = new NodeProgram(`
    import { Supervisor } from 'sigshield'
    const names = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2']
    const own = () => {}
    process.on('SIGTERM', own)
    const state = () => JSON.stringify(names.map((name) => process.listeners(name).map((listener) => listener === own)))
    const before = state()
    const a = new Supervisor().handleSignals()
    const b = new Supervisor().handleSignals(['SIGUSR2', 'SIGINT'])
    a[Symbol.dispose](); a[Symbol.dispose]()
    console.log(process.listenerCount('SIGINT'), process.listenerCount('SIGTERM'), process.listenerCount('SIGUSR2'))
    b[Symbol.dispose]()
    console.log(state() === before)
    process.kill(process.pid, 'SIGINT')`)
  expect(await program.end()).toEqual({ rest: ['1 1 1', 'true'], code: null, signal: 'SIGINT' })
})

describe.runIf(process.getuid?.() === 0)('process 1 of a container', () => {
  it(
    'is ended, though the kernel drops a signal that init sends itself, by 128 + its number',
    async () => {
      const code = parent(`${server}${simple}\nsay(process.pid)`)
      const args = ['--pid', '--fork', '--mount-proc', process.execPath, '--input-type=module', '-e', code]
      const { spawn } = await import('node:child_process')
      const { closed, ended } = await import('../support/processes.js')
      const { childrenOf } = await import('../support/process-table.mjs')
      const unshare = ended(spawn('unshare', args, { stdio: ['ignore', 'pipe', 'inherit'] }))
      const end = closed(unshare)
      expect(await line(unshare.stdout)).toBe('1')
      expect(await line(unshare.stdout)).toBe('ready')
      const [init] = childrenOf(unshare.pid as number)
      process.kill(init?.pid as number, 'SIGTERM')
      expect([await line(unshare.stdout), await line(unshare.stdout)]).toEqual(['cleaned up', 'joined null'])
      expect(await end).toEqual({ code: 128 + 15, signal: null })
      expect(isAlive(init?.pid as number)).toBe(false)
    },
    limit(30_000),
  )
})
