/** Calls that block: their limits, their pipes, and what they leave behind. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { ExitEvent, execFileSyncProtected, spawnProtected, spawnSyncProtected } from 'sigshield'
import { describe, expect, it, onTestFinished } from 'vitest'
import { children } from '../support/census.js'
import { openDescriptors } from '../support/descriptors.mjs'
import { NodeProgram } from '../support/node-program.js'
import { closed, ended, isAlive, line, probe, SIGINT, SIGTERM, temporaryFolder, until } from '../support/processes.js'
import { leavesNothing, thrown } from '../support/refusal.js'

type Options = Parameters<typeof spawnSyncProtected>[2]

/** Both sides in turns. */
const sides = [
  ['spawnSync', spawnSync],
  ['spawnSyncProtected', spawnSyncProtected as typeof spawnSync],
] as const

function dies(pid: number): Promise<void> {
  return until(() => !isAlive(pid), `${pid} has ended`)
}

describe('what the program starts with', () => {
  function state(options: Options): { ignored: number[]; blocked: number[] } {
    const report = join(temporaryFolder(), 'report')
    expect(spawnSyncProtected(probe, [report], options).status).toBe(0)
    const { ignored, blocked } = JSON.parse(readFileSync(report, 'utf8'))
    return { ignored, blocked }
  }

  it('ignores SIGINT only while this process listens to it', () => {
    expect(state({})).toEqual({ ignored: [], blocked: [] })
    const listener = () => {}
    process.on('SIGINT', listener)
    onTestFinished(() => void process.off('SIGINT', listener))
    expect(state({})).toEqual({ ignored: [SIGINT], blocked: [] })
    expect(state({ ignore: [] })).toEqual({ ignored: [], blocked: [] })
    process.off('SIGINT', listener)
    expect(state({})).toEqual({ ignored: [], blocked: [] })
  })

  it('ignores and blocks what it is told to', () => {
    const ignore = ['SIGINT', 'SIGTERM'] as const
    expect(state({ ignore, block: ['SIGHUP'] })).toEqual({ ignored: [SIGINT, SIGTERM], blocked: [1] })
  })

  it('keeps a Node program from undoing it', () => {
    const code = `
      process.on('SIGTERM', () => console.log('heard')).on('SIGUSR2', () => process.exit())
      setInterval(() => {}, 1000)
      process.kill(process.pid, 'SIGTERM')
      process.kill(process.pid, 'SIGUSR2')`
    const run = (options: Options) => String(spawnSyncProtected(process.execPath, ['-e', code], options).stdout)
    expect(run({ ignore: ['SIGTERM'], enforce: true })).toBe('')
    expect(run({ ignore: [] })).toBe('heard\n')
  })
})

describe('limits', () => {
  /** It ignores SIGTERM before it writes too much. */
  const deaf = 'trap "" TERM; echo too much; exec sleep 1000'

  it('a program that does not hear killSignal is killed after its grace', () => {
    const { status, signal, error, stdout } = spawnSyncProtected('sh', ['-c', deaf], { maxBuffer: 1, grace: 50 })
    expect({ status, signal, stdout: String(stdout), code: (error as NodeJS.ErrnoException).code }).toEqual({
      status: null,
      signal: 'SIGKILL',
      stdout: 'too much\n',
      code: 'ENOBUFS',
    })
  })

  it('one that ends in its grace is not', () => {
    const code = 'trap "sleep 0.2; exit 7" TERM; echo too much; while :; do sleep 0.01; done'
    const { status, signal } = spawnSyncProtected('sh', ['-c', code], { maxBuffer: 1 })
    expect({ status, signal }).toEqual({ status: 7, signal: null })
  })

  it('one that ignores SIGTERM by our option is killed at once', () => {
    const options = { ignore: ['SIGTERM'], maxBuffer: 1, grace: Number.POSITIVE_INFINITY } as const
    expect(spawnSyncProtected('sh', ['-c', 'echo too much; exec sleep 1000'], options).signal).toBe('SIGKILL')
  })

  it('a program that has reached its time-out', () => {
    for (const [, run] of sides) {
      const { status, signal, error, stdout } = run('sh', ['-c', 'echo up; exec sleep 1000'], { timeout: 500 })
      expect({ status, signal, stdout: String(stdout) }).toEqual({ status: null, signal: 'SIGTERM', stdout: 'up\n' })
      expect(error).toMatchObject({
        code: 'ETIMEDOUT',
        errno: -constants.errno.ETIMEDOUT,
        syscall: 'spawnSync sh',
        path: 'sh',
      })
    }
  })

  it('a descendant that holds the pipes does not hold up the call beyond its time-out', async () => {
    for (const [, run] of sides) {
      const { status, signal, error, stdout } = run('sh', ['-c', 'sleep 1000 & echo $!'], { timeout: 500 })
      const pid = Number(stdout)
      expect(isAlive(pid)).toBe(true)
      process.kill(pid, 'SIGKILL')
      await dies(pid)
      expect({ status, signal, code: (error as NodeJS.ErrnoException).code }).toEqual({
        status: 0,
        signal: null,
        code: 'ETIMEDOUT',
      })
    }
  })

  it('with `drain` it does not hold it up at all', async () => {
    const { status, error, stdout } = spawnSyncProtected('sh', ['-c', 'sleep 1000 & echo $!'], { drain: 100 })
    const pid = Number(stdout)
    expect({ status, error, lives: isAlive(pid) }).toEqual({ status: 0, error: undefined, lives: true })
    process.kill(pid, 'SIGKILL')
    await dies(pid)
  })

  it('execFileSyncProtected throws what was reached', () => {
    const error = thrown(() => execFileSyncProtected('sh', ['-c', deaf], { maxBuffer: 1, grace: 0 }))
    expect(error).toMatchObject({ code: 'ENOBUFS', message: 'spawnSync sh ENOBUFS' })
  })
})

describe('refused before anything starts', () => {
  it.each<[string, object, string, string]>([
    [
      'a killSignal that is not heard, with a time-out',
      { ignore: ['SIGTERM'], timeout: 1000 },
      'ERR_INVALID_ARG_VALUE',
      "The property 'options.killSignal' must be a signal that the child does not ignore or block, or 'timeout' and 'signal' would end nothing: 'SIGKILL', for example. Received 'SIGTERM'",
    ],
    [
      'a killSignal that is not heard',
      { ignore: ['SIGINT'], killSignal: 'sigint' },
      'ERR_INVALID_ARG_VALUE',
      "The property 'options.killSignal' must be a signal that the child does not ignore or block, or 'timeout' and 'signal' would end nothing: 'SIGKILL', for example. Received 'sigint'",
    ],
    [
      'the foreground',
      { foreground: true },
      'ERR_INVALID_ARG_VALUE',
      "The property 'options.foreground' is not for a call that blocks: its child shares the terminal with this process already. Leave it out. Received true",
    ],
    [
      'no time',
      { grace: '1' },
      'ERR_INVALID_ARG_TYPE',
      'The "options.grace" property must be of type number. Received \'1\'',
    ],
  ])('%s', async (_name, options, code, message) => {
    await leavesNothing(() => {
      for (const run of [spawnSyncProtected, execFileSyncProtected]) {
        expect(thrown(() => run('true', options))).toMatchObject({ code, message })
      }
    })
  })

  it('what the system refuses names the step', () => {
    expect(spawnSyncProtected('/no/such/program').error).toMatchObject({ code: 'ENOENT', step: 'execve' })
    expect(spawnSyncProtected('true', { cwd: '/no/such/folder' }).error).toMatchObject({ step: 'chdir' })
  })
})

describe('data', () => {
  it('input that a program does not read is EPIPE, as with Node', () => {
    const input = Buffer.alloc(1 << 20)
    for (const [, run] of sides) {
      const { status, error, stdout } = run('sh', ['-c', 'exec <&-; echo done'], { input })
      expect({ status, stdout: String(stdout) }).toEqual({ status: 0, stdout: 'done\n' })
      expect(error).toMatchObject({ code: 'EPIPE' })
    }
  })

  it('a hundred pipes', () => {
    const COUNT = 100
    const code = `for i in $(seq 3 ${COUNT + 2}); do eval "echo $i >&$i"; done`
    const { status, output } = spawnSyncProtected('bash', ['-c', code], { stdio: Array(COUNT + 3).fill('pipe') })
    expect(status).toBe(0)
    expect(output.slice(3).map(String)).toEqual(Array.from({ length: COUNT }, (_, i) => `${i + 3}\n`))
  })

  it('descriptors that are handed on stay blocking, or not, as they were', async () => {
    const report = join(temporaryFolder(), 'report')
    const flags = (fd: number) => {
      spawnSync(probe, [report], { stdio: ['ignore', 'ignore', 'inherit', fd] })
      const { fds } = JSON.parse(readFileSync(report, 'utf8'))
      return fds.find((found: { fd: number }) => found.fd === 3)
    }
    const helper = ended(spawn('cat'))
    const end = closed(helper)
    const fd = (helper.stdin as unknown as { _handle: { fd: number } })._handle.fd
    const before = flags(fd)
    expect(spawnSyncProtected('echo', ['handed on'], { stdio: ['ignore', 'pipe', 'pipe', helper.stdin] }).status).toBe(
      0,
    )
    expect(before.nonblocking).toBe(1)
    expect(flags(fd)).toEqual(before)
    helper.stdin.end()
    await end
  })

  it('leaves no descriptor and no process', () => {
    const descriptors = openDescriptors()
    const family = children()
    for (let i = 0; i < 50; i += 1) {
      spawnSyncProtected('cat', { input: 'x' })
      spawnSyncProtected('/no/such/program', { stdio: ['pipe', 'pipe', 'pipe', 'pipe'] })
      expect(() => execFileSyncProtected('false')).toThrow('Command failed: false')
    }
    expect(openDescriptors()).toEqual(descriptors)
    expect(children()).toEqual(family)
  })
})

describe('this process meanwhile', () => {
  it('signals with a listener interrupt nothing, and come afterwards', async () => {
    let heard = 0
    const listener = () => {
      heard += 1
    }
    process.on('SIGUSR2', listener)
    onTestFinished(() => void process.off('SIGUSR2', listener))
    const code = `for i in 1 2 3 4 5 6 7 8 9; do kill -USR2 ${process.pid}; echo $i; done; cat`
    const { status, stdout } = spawnSyncProtected('sh', ['-c', code], { input: Buffer.alloc(200_000, 'x') })
    expect({ status, length: stdout.length, heard }).toEqual({ status: 0, length: 200_018, heard: 0 })
    await until(() => heard > 0, 'the listener was called')
  })

  it('other children end as ever', async () => {
    const other = ended(spawn('sh', ['-c', 'exit 7'], { stdio: 'ignore' }))
    const ours = ended(spawnProtected('sh', ['-c', 'exit 8'], { stdio: 'ignore' }))
    const ends = Promise.all([once(other, 'exit'), once(ours, 'exit')])
    // Returns when both wait to be reaped.
    const isZombie = ({ pid }: ChildProcess) => `ps -o stat= -p ${pid} | grep -q Z`
    const code = `until ${isZombie(other)} && ${isZombie(ours)}; do :; done`
    expect(spawnSyncProtected('bash', ['-c', code]).status).toBe(0)
    expect(await ends).toEqual([
      [7, null],
      [8, null],
    ])
  })

  it('a child that something else reaps has neither code nor signal', async () => {
    const code = `
      import { spawnSyncProtected } from 'sigshield'
      const { status, signal, stdout } = spawnSyncProtected('sh', ['-c', 'echo up'])
      console.log(status, signal, String(stdout).trim())`
    // Ignored by inheritance, SIGCHLD has the kernel reap.
    const program = [
      '-c',
      'import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execvp(sys.argv[1], sys.argv[1:])',
    ]
    const child = ended(spawn('python3', [...program, process.execPath, '--input-type=module', '-e', code]))
    expect(await line(child.stdout)).toMatch(/^(0|null) null up$/)
    await closed(child)
  })
})

describe('the exit event', () => {
  it('one that is set is found set', () => {
    const exitEvent = new ExitEvent()
    exitEvent.set()
    expect(String(execFileSyncProtected('sh', ['-c', 'cat <&$SIGSHIELD_EXIT_FD'], { exitEvent }))).toBe(
      'exit requested\n',
    )
  })

  it('the one that this process was given is set meanwhile', async () => {
    const exitEvent = new ExitEvent()
    const code = `
      import { spawnSyncProtected } from 'sigshield'
      import { exitEvent } from 'sigshield/child'
      const options = { exitEvent: exitEvent(), stdio: ['ignore', 'pipe', 'inherit'] }
      const { stdout } = spawnSyncProtected('sh', ['-c', 'echo up >&2; cat <&$SIGSHIELD_EXIT_FD'], options)
      console.log(String(stdout).trim())`
    const child = ended(spawnProtected(process.execPath, ['--input-type=module', '-e', code], { exitEvent }))
    const end = closed(child)
    expect(await line(child.stderr)).toBe('up')
    exitEvent.set()
    expect(await line(child.stdout)).toBe('exit requested')
    expect(await end).toEqual({ code: 0, signal: null })
  })
})

describe('worker threads', () => {
  it('run programs too, with parentDeathSignal, and terminate() waits as with Node', async () => {
    const code = (run: string) => `
      import { Worker } from 'node:worker_threads'
      const text = \`
        ${run}
        const { status } = run('true', { parentDeathSignal: 'SIGTERM' })
        run('sh', ['-c', 'echo up $0; read line', status], { stdio: 'inherit' })
        process._rawDebug('never')\`
      const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(text)))
      process.on('SIGUSR2', async () => {
        const end = worker.terminate()
        console.log('asked')
        console.log('terminated', await end)
        process.exit()
      })`
    const ours = `import { spawnSyncProtected as run } from '${import.meta.resolve('sigshield')}'`
    for (const run of [ours, `import { spawnSync as run } from 'node:child_process'`]) {
      const program = new NodeProgram(code(run), [], { stdio: ['pipe', 'pipe', 'inherit'] })
      await program.says('up 0')
      program.kill('SIGUSR2')
      await program.says('asked')
      program.child.stdin?.end('go\n')
      expect(await program.end()).toEqual({ rest: ['terminated 1'], code: 0, signal: null })
    }
  })
})
