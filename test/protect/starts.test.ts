/** Every way in which code starts a child, and which options hold for it. */
import childProcess, { type ChildProcess, exec, execFile, fork, spawn } from 'node:child_process'
import cluster from 'node:cluster'
import { getEventListeners, once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { spawn as crossSpawn } from 'cross-spawn'
import { execa } from 'execa'
import { ExitEvent, type ProtectOptions, protect, protectionOf, spawnProtected } from 'sigshield'
import { x } from 'tinyexec'
import { describe, expect, it, onTestFinished } from 'vitest'
import { closed, ended, probe, SIGINT, SIGTERM, temporaryFolder, until } from '../support/processes.js'
import { enforced, signalState } from '../support/signal-state.js'

const SIGHUP = 1
const SIGQUIT = 3
const worker = join(import.meta.dirname, '../support/protect/quiet-worker.mjs')
const plainSpawn = childProcess.ChildProcess.prototype as unknown as { spawn: unknown }
const before = { spawn: plainSpawn.spawn, kill: process.kill }

function guarded(options?: ProtectOptions): Disposable {
  const guard = protect(options)
  onTestFinished(() => guard[Symbol.dispose]())
  return guard
}

/** Ours stays as long as a child lives that needs it, also of another test. */
const killIsNodes = () => until(() => process.kill === before.kill, 'process.kill is that of Node')

const ignoredBy = (child: ChildProcess) => signalState(child.pid as number).ignored
const sleep = (options: childProcess.SpawnOptions = {}) =>
  ended(spawn('sleep', ['1000'], { stdio: 'ignore', ...options }))

describe('a child is protected', () => {
  /** What Node, libuv or the program itself ignores is not looked at. */
  const starts: Record<string, () => ChildProcess> = {
    'by spawn, as an ES module imports it': () => spawn('sleep', ['1000']),
    'by spawn, as the module’s property': () => childProcess.spawn('sleep', ['1000']),
    'by exec': () => exec('exec sleep 1000', () => {}),
    'by exec, promised': () => promise(promisify(exec)('exec sleep 1000')),
    'by execFile': () => execFile('sleep', ['1000'], () => {}),
    'by execFile, promised': () => promise(promisify(execFile)('sleep', ['1000'])),
    'by fork': () => fork(worker),
    'in a shell': () => spawn('exec sleep 1000', { shell: true }),
    'by execa': () => promise(execa('sleep', ['1000'], { reject: false })) as unknown as ChildProcess,
    'by cross-spawn': () => crossSpawn('sleep', ['1000']),
    'by tinyexec': () => x('sleep', ['1000']).process as ChildProcess,
    'by new ChildProcess': () => {
      const child = new childProcess.ChildProcess()
      ;(child as unknown as { spawn(options: object): void }).spawn({
        file: 'sleep',
        args: ['sleep', '1000'],
        stdio: 'ignore',
      })
      return child
    },
  }

  function promise<T extends { child?: ChildProcess } | object>(started: T): ChildProcess {
    ;(started as unknown as Promise<unknown>).catch(() => {})
    return ((started as { child?: ChildProcess }).child ?? started) as ChildProcess
  }

  it.each(Object.entries(starts))('%s', async (_how, start) => {
    guarded()
    const child = ended(start())
    expect(ignoredBy(child)).toContain(SIGINT)
    expect(ignoredBy(child)).not.toContain(SIGTERM)
    expect(ignoredBy(child)).not.toContain(SIGQUIT)
    expect(protectionOf(child)).toMatchObject({
      enforced: child.spawnfile === process.execPath ? enforced.other : enforced.system,
      resourceUsage: undefined,
    })
    if (child.channel) await once(child, 'message')
    expect(ignoredBy(child)).toContain(SIGINT)
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(protectionOf(child)?.resourceUsage?.userCPUTime).toBeGreaterThanOrEqual(0)
  })

  it.each(Object.entries(starts))('but not without a guard (the control): %s', async (_how, start) => {
    const child = ended(start())
    expect(protectionOf(child)).toBeUndefined()
    if (child.channel) await once(child, 'message')
    expect(ignoredBy(child)).not.toContain(SIGINT)
    child.kill('SIGINT')
    expect((await once(child, 'exit'))[1]).toBe('SIGINT')
  })

  it('as a worker of a cluster', async () => {
    const guard = protect()
    cluster.setupPrimary({ exec: worker })
    const one = cluster.fork()
    guard[Symbol.dispose]()
    const other = cluster.fork()
    onTestFinished(() => {
      for (const { process } of [one, other]) process.kill('SIGKILL')
    })
    await Promise.all([once(one, 'message'), once(other, 'message')])
    expect(ignoredBy(one.process)).toContain(SIGINT)
    expect(ignoredBy(other.process)).not.toContain(SIGINT)
    const ends = [once(one, 'exit'), once(other, 'exit')]
    process.kill(one.process.pid as number, 'SIGKILL')
    other.process.kill('SIGKILL')
    await Promise.all(ends)
  })

  it('and sees and says what it does without', async () => {
    guarded()
    expect(await promisify(exec)('echo out; echo err >&2')).toEqual({ stdout: 'out\n', stderr: 'err\n' })
    await expect(promisify(execFile)('sh', ['-c', 'exit 3'])).rejects.toMatchObject({ code: 3 })
    await expect(promisify(execFile)('/no/such/program')).rejects.toMatchObject({
      code: 'ENOENT',
      syscall: 'spawn /no/such/program',
    })
    await expect(execa('sh', ['-c', 'exit 4'])).rejects.toMatchObject({ exitCode: 4 })
    expect((await execa('cat', { input: 'hello' })).stdout).toBe('hello')
  })
})

describe('which options hold', () => {
  it('those of the guard that was set up last, in whatever order they are disposed of', async () => {
    const a = guarded({ ignore: ['SIGHUP'] })
    const b = guarded({ ignore: ['SIGQUIT'] })
    const c = guarded({ ignore: ['SIGINT', 'SIGHUP'] })
    const children: ChildProcess[] = []
    const ignored = () => {
      children.push(sleep())
      return ignoredBy(children.at(-1) as ChildProcess)
    }
    expect(ignored()).toEqual([SIGHUP, SIGINT])
    b[Symbol.dispose]()
    expect(ignored()).toEqual([SIGHUP, SIGINT])
    c[Symbol.dispose]()
    c[Symbol.dispose]()
    expect(ignored()).toEqual([SIGHUP])
    a[Symbol.dispose]()
    expect(ignored()).toEqual([])
    expect(plainSpawn.spawn).toBe(before.spawn)
    const ends = children.map((child) => once(child, 'exit'))
    for (const child of children) child.kill('SIGKILL')
    await Promise.all(ends)
    await killIsNodes()
  })

  it('a child of a guard that is disposed of is ended by the signal that it ignores, as before', async () => {
    const guard = guarded()
    const child = sleep()
    guard[Symbol.dispose]()
    const end = once(child, 'exit')
    expect(process.kill(child.pid as number, 'SIGINT')).toBe(true)
    expect(await end).toEqual([null, 'SIGTERM'])
    await killIsNodes()
  })

  it.each([Symbol('pid'), {}, Number.NaN])('what is no pid is Node’s to refuse: %s', (pid) => {
    const refusal = (kill: typeof process.kill) => {
      try {
        kill.call(process, pid as number)
        return 'none'
      } catch (error) {
        const { name, code, message } = error as NodeJS.ErrnoException
        return [name, code, message]
      }
    }
    guarded()
    expect(refusal(process.kill)).toEqual(refusal(before.kill))
  })

  it('scopes that share an exit event listen to it once', () => {
    const exitEvent = new ExitEvent()
    for (let i = 0; i < 20; i += 1) protect({ exitEvent }, () => sleep())
    expect(getEventListeners(exitEvent.signal, 'abort')).toHaveLength(1)
  })

  it('those of spawnProtected, where that is called', () => {
    guarded({ ignore: ['SIGHUP'] })
    const child = ended(spawnProtected('sleep', ['1000'], { ignore: ['SIGQUIT'] }))
    expect(ignoredBy(child)).toEqual([SIGQUIT])
    expect(protectionOf(child)).toMatchObject({ enforced: enforced.system, exitEvent: undefined })
  })

  it('none for a detached child, which no terminal reaches, unless they are named', () => {
    guarded()
    const plain = sleep({ detached: true })
    expect([ignoredBy(plain), protectionOf(plain) !== undefined]).toEqual([[], true])
    guarded({ ignore: ['SIGINT'] })
    expect(ignoredBy(sleep({ detached: true }))).toEqual([SIGINT])
  })
})

describe('SIGTERM and SIGQUIT', () => {
  it.each<ProtectOptions>([{ ignore: ['SIGINT', 'SIGTERM'] }, { block: ['SIGTERM'] }, { ignore: [15] }])(
    '%j is refused: nothing would end the child',
    (options) => {
      expect(() => protect(options)).toThrow(
        expect.objectContaining({
          code: 'ERR_INVALID_ARG_VALUE',
          message: expect.stringContaining("'grace' or 'signal'"),
        }),
      )
    },
  )

  it('SIGTERM is taken with a ladder, and a kill then is one', async () => {
    guarded({ ignore: ['SIGINT', 'SIGTERM'], grace: 20 })
    const child = sleep()
    expect(ignoredBy(child)).toEqual([SIGINT, SIGTERM])
    expect(child.kill()).toBe(true)
    expect(await closed(child)).toEqual({ code: null, signal: 'SIGKILL' })
  })

  it('or with another signal, which the child must hear', async () => {
    guarded({ ignore: ['SIGINT', 'SIGTERM'], signal: 'SIGHUP' })
    const child = sleep()
    child.kill()
    expect(await closed(child)).toEqual({ code: null, signal: 'SIGHUP' })
    expect(() => protect({ signal: 'SIGINT' })).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }))
  })
})

describe('wrong calls', () => {
  const wrong: [string, unknown[], string][] = [
    ['options', [1], 'ERR_INVALID_ARG_TYPE'],
    ['null without a function', [null], 'ERR_INVALID_ARG_TYPE'],
    ['a function alone', [() => {}], 'ERR_INVALID_ARG_TYPE'],
    ['no function', [{}, 1], 'ERR_INVALID_ARG_TYPE'],
    ['an unknown option', [{ ingore: [] }], 'ERR_INVALID_ARG_VALUE'],
    ['an option that makes no sense here', [{ foreground: true }], 'ERR_INVALID_ARG_VALUE'],
    ['an unknown signal', [{ ignore: ['SIGFOO'] }], 'ERR_UNKNOWN_SIGNAL'],
    ['a signal that can’t be ignored', [{ ignore: ['SIGKILL'] }], 'ERR_INVALID_ARG_VALUE'],
    ['no exit event', [{ exitEvent: {} }], 'ERR_INVALID_ARG_TYPE'],
    ['a grace', [{ grace: -1 }], 'ERR_OUT_OF_RANGE'],
    ['a death signal that is ignored', [{ parentDeathSignal: 'SIGINT' }], 'ERR_INVALID_ARG_VALUE'],
  ]

  it.each(wrong)('%s', (_what, args, code) => {
    const { spawn } = plainSpawn
    expect(() => (protect as (...args: unknown[]) => unknown)(...args)).toThrow(expect.objectContaining({ code }))
    expect(plainSpawn.spawn).toBe(spawn)
  })

  it('what is no ChildProcess has no protection to ask for', () => {
    for (const value of [undefined, null, {}, process]) {
      expect(() => protectionOf(value as ChildProcess)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
      )
    }
  })

  it('a start that Node refuses may be tried again', async () => {
    guarded()
    const child = new childProcess.ChildProcess() as ChildProcess & { spawn(options: unknown): void }
    for (const options of [
      undefined,
      null,
      1,
      {},
      { file: 1 },
      { file: 'sleep', args: 1 },
      { file: 'sleep', stdio: 'no' },
    ]) {
      expect(() => child.spawn(options)).toThrow(TypeError)
    }
    expect(protectionOf(child)).toBeUndefined()
    child.spawn({ file: 'sleep', args: ['sleep', '1000'], stdio: 'ignore' })
    expect(ignoredBy(ended(child))).toEqual([SIGINT])
  })
})

it('what it is given beyond is two variables and a descriptor above its own', async () => {
  guarded()
  const seen = async (options: childProcess.SpawnOptions) => {
    const report = join(temporaryFolder(), 'report')
    await closed(spawn(probe, [report], options))
    return JSON.parse(readFileSync(report, 'utf8')) as { env: string[]; fds: { fd: number }[] }
  }
  const few = await seen({ stdio: 'ignore', env: { ONLY: '1' } })
  expect(few.env.map((pair) => pair.split('=')[0]).sort()).toEqual([
    'ONLY',
    'SIGSHIELD_EXIT_FD',
    'SIGSHIELD_EXIT_INODE',
  ])
  expect(few.fds.map(({ fd }) => fd)).toEqual([0, 1, 2, 8])
  const many = await seen({ stdio: Array(12).fill('ignore'), env: {} })
  expect(many.env).toContain('SIGSHIELD_EXIT_FD=12')
})
