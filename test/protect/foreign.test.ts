/** What a start of another's must not notice: each was seen to go wrong. */

import { AsyncLocalStorage, createHook } from 'node:async_hooks'
import childProcess, { ChildProcess, exec, spawn } from 'node:child_process'
import { subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { cpSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ExitEvent, type ProtectOptions, protect, protectionOf, spawnProtected } from 'sigshield'
import { describe, expect, it, onTestFinished } from 'vitest'
import { NodeProgram } from '../support/node-program.js'
import { closed, ended, line, SIGINT, temporaryFolder, until } from '../support/processes.js'
import { enforced, signalState } from '../support/signal-state.js'

const root = join(import.meta.dirname, '../..')

interface Spawns {
  spawn(options: object): number
}
const prototype = ChildProcess.prototype as unknown as Spawns
const nodeMajor = Number(process.versions.node.split('.')[0])

function guarded(options?: ProtectOptions): Disposable {
  const guard = protect(options)
  onTestFinished(() => guard[Symbol.dispose]())
  return guard
}

const ignoredBy = (child: ChildProcess) => signalState(child.pid as number).ignored
const sleep = () => ended(spawn('sleep', ['1000'], { stdio: 'ignore' }))
/** Leaves by its event, and says so. */
const polite = 'echo up; until read -t 0 -u $SIGSHIELD_EXIT_FD; do sleep 0.01; done; echo asked'
const startPolite = async () => {
  const child = ended(spawn('bash', ['-c', polite], { stdio: ['ignore', 'pipe', 'inherit'] }))
  expect(await line(child.stdout)).toBe('up')
  return child
}

describe('Node’s own process handle', () => {
  it('is never asked to start anything: a refusal would corrupt the heap of Node 24 and 26', async () => {
    const handles = Object.getPrototypeOf((new ChildProcess() as unknown as { _handle: object })._handle) as Spawns
    const nodes = handles.spawn
    let asked = 0
    handles.spawn = function (this: unknown, ...args: [object]) {
      asked += 1
      return nodes.apply(this, args)
    }
    onTestFinished(() => {
      handles.spawn = nodes
    })
    await closed(spawn('true'))
    expect(asked).toBe(1)
    guarded()
    await closed(spawn('true'))
    await once(spawn('/no/such/program'), 'error')
    await once(spawn('true', { cwd: '/no/such/folder' }), 'error')
    for (const options of [
      { stdio: [{ fd: -1 }, 'ignore', 'ignore'] },
      { cwd: 1 },
      { signal: 1 },
      { killSignal: 'no' },
    ]) {
      for (const start of [spawn, spawnProtected]) expect(() => start('/', options as object)).toThrow()
    }
    expect(() => childProcess.fork('', { execArgv: 1 } as object)).toThrow()
    await closed(spawnProtected('true', { env: { ...process.env } }))
    expect(asked).toBe(1)
  })

  it.runIf(nodeMajor >= 22)('its permission check is made all the same', async () => {
    const code = `
      import { exec } from 'node:child_process'
      import { protect } from 'sigshield'
      protect()
      try { exec('true', (error) => console.log('ran', error?.code)) } catch ({ code, permission }) { console.log(code, permission) }`
    const run = async (...flags: string[]) => {
      const args = ['--permission', '--allow-fs-read=*', '--allow-addons', '--no-warnings', ...flags]
      const child = ended(
        spawn(process.execPath, [...args, '--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] }),
      )
      return line(child.stdout)
    }
    expect(await run()).toBe('ERR_ACCESS_DENIED ChildProcess')
    expect(await run('--allow-child-process')).toBe('ran undefined')
  })

  it('outlives a moment without a descriptor to look with', async () => {
    const code = `import { exec } from 'node:child_process'
      import { closeSync, openSync } from 'node:fs'
      import { protect } from 'sigshield'
      protect()
      exec('true', (error) => {
        const held = []
        try { for (;;) held.push(openSync('/dev/null')) } catch ({ code }) { console.log(code, error) }
        // What the child has left behind is looked for after a tenth of this.
        setTimeout(() => {
          for (const fd of held) closeSync(fd)
          console.log('on')
        }, 1000)
      })`
    const argv = ['-c', 'ulimit -n 64; exec "$0" --input-type=module -e "$1"', process.execPath, code]
    const { stdout } = await promisify(childProcess.execFile)('bash', argv)
    expect(stdout).toBe('EMFILE null\non\n')
  })

  it.runIf(nodeMajor >= 22)('is refused where what it starts can’t be seen, and so not be ended', async () => {
    const code = `
      import { exec } from 'node:child_process'
      import { spawnProtected, protect } from 'sigshield'
      try { protect() } catch ({ code }) { console.log(code) }
      const child = spawnProtected('sleep', ['1000'])
      await child.stop({ target: 'tree' }).catch(({ code }) => console.log(code))
      console.log(JSON.stringify(await child.stop()))`
    const run = async (...flags: string[]) => {
      const reading = ['dist', 'build', 'package.json', 'prebuilds'].map(
        (name) => `--allow-fs-read=${join(root, name)}`,
      )
      const args = ['--permission', ...reading, '--allow-addons', '--allow-child-process', '--no-warnings', ...flags]
      const file = join(temporaryFolder(), 'program.mjs')
      writeFileSync(file, code.replaceAll("'sigshield'", JSON.stringify(join(root, 'dist/index.js'))))
      return promisify(childProcess.execFile)(process.execPath, [...args, `--allow-fs-read=${file}`, file])
    }
    const stopped = '{"code":null,"signal":"SIGTERM","forced":false}'
    const refused = 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM'
    expect((await run()).stdout.trim().split('\n')).toEqual([refused, refused, stopped])
    expect((await run('--allow-fs-read=/proc/*')).stdout.trim()).toBe(stopped)
  })
})

describe('a stop of one child', () => {
  it('by stop() tells no other of the same event', async () => {
    const exitEvent = new ExitEvent()
    guarded({ exitEvent })
    const one = await startPolite()
    const other = await startPolite()
    expect(await protectionOf(one)?.stop({ grace: 600_000 })).toEqual({ code: 0, signal: null, forced: false })
    expect([exitEvent.isSet(), protectionOf(other)?.exitEvent?.isSet()]).toEqual([false, false])
    // The control: the event itself tells the other, and one that starts later.
    exitEvent.set()
    expect(await line(other.stdout)).toBe('asked')
    const late = await startPolite()
    expect(await line(late.stdout)).toBe('asked')
  })

  it('by a library’s kill neither', async () => {
    const exitEvent = new ExitEvent()
    guarded({ exitEvent, ignore: ['SIGINT', 'SIGTERM'], grace: 600_000 })
    const one = await startPolite()
    const other = await startPolite()
    const end = closed(one)
    expect([one.kill(), one.killed]).toEqual([true, true])
    expect(await line(one.stdout)).toBe('asked')
    expect(await end).toEqual({ code: 0, signal: null })
    expect([exitEvent.isSet(), protectionOf(other)?.exitEvent?.isSet()]).toEqual([false, false])
  })
})

describe('scopes', () => {
  it('what a function starts is protected, however late, and nothing else', async () => {
    const inside = await protect({}, async () => {
      await new Promise(setImmediate)
      return sleep()
    })
    const other = new Promise<ChildProcess>((resolve) => {
      protect({ ignore: ['SIGHUP'] }, () => setTimeout(() => resolve(sleep()), 1))
    })
    expect(ignoredBy(inside)).toEqual([SIGINT])
    expect(ignoredBy(sleep())).toEqual([])
    expect(ignoredBy(await other)).toEqual([1])
  })

  it('null opts out, and the innermost holds', () => {
    guarded()
    expect(protect(null, () => ignoredBy(sleep()))).toEqual([])
    expect(protect(null, () => protect({ ignore: ['SIGHUP'] }, () => ignoredBy(sleep())))).toEqual([1])
    expect(protect({ ignore: ['SIGHUP'] }, () => protect(null, () => protectionOf(sleep())))).toBeUndefined()
    expect(ignoredBy(sleep())).toEqual([SIGINT])
  })

  it('what the function throws comes through, and the scope is over', () => {
    const fail = () => {
      throw new RangeError('mine')
    }
    expect(() => protect({}, fail)).toThrow('mine')
    expect(ignoredBy(sleep())).toEqual([])
  })
})

/** Another copy of the library, as npm installs one below another package. */
async function secondCopy(): Promise<typeof import('sigshield')> {
  const folder = temporaryFolder()
  for (const name of ['dist', 'package.json']) cpSync(join(root, name), join(folder, name), { recursive: true })
  for (const name of ['lib', 'build', 'node_modules']) symlinkSync(join(root, name), join(folder, name))
  return import(join(folder, 'dist/index.js'))
}

describe('others who patch', () => {
  it('two copies of the library: one start, the last that was set up wins, and gives way', async () => {
    const plain = prototype.spawn
    const copy = await secondCopy()
    expect(copy.protect).not.toBe(protect)
    const ours = guarded({ ignore: ['SIGHUP'] })
    const theirs = copy.protect({ ignore: ['SIGQUIT'] })
    const both = sleep()
    expect([ignoredBy(both), protectionOf(both), copy.protectionOf(both)?.enforced]).toEqual([
      [3],
      undefined,
      enforced.system,
    ])
    ours[Symbol.dispose]()
    expect(ignoredBy(sleep())).toEqual([3])
    const again = guarded({ ignore: ['SIGHUP'] })
    expect(ignoredBy(sleep())).toEqual([1])
    again[Symbol.dispose]()
    theirs[Symbol.dispose]()
    const last = sleep()
    expect([ignoredBy(last), protectionOf(last), copy.protectionOf(last)]).toEqual([[], undefined, undefined])
    const guard = guarded()
    expect(copy.protect(null, () => ignoredBy(sleep()))).toEqual([SIGINT])
    guard[Symbol.dispose]()
    // Whoever was wrapped by another stays in its place, and does nothing.
    prototype.spawn = plain
  })

  it.each(['before', 'after'])('a wrapper of ChildProcess.prototype.spawn that came %s', async (when) => {
    const plain = prototype.spawn
    const seen: unknown[] = []
    const wrap = () => {
      const next = prototype.spawn
      prototype.spawn = function (options) {
        seen.push((options as { file: string }).file)
        // With options of its own, as tracers add to the environment.
        return next.call(this, { ...options, envPairs: ['WRAPPED=yes'] } as object)
      }
    }
    onTestFinished(() => {
      prototype.spawn = plain
    })
    if (when === 'before') wrap()
    const guard = guarded()
    if (when === 'after') wrap()
    const child = ended(spawn('sh', ['-c', 'echo $WRAPPED; read line'], { stdio: ['pipe', 'pipe', 'inherit'] }))
    expect(await line(child.stdout)).toBe('yes')
    expect([ignoredBy(child), seen]).toEqual([[SIGINT], ['sh']])
    guard[Symbol.dispose]()
    expect([ignoredBy(sleep()), seen]).toEqual([[], ['sh', 'sleep']])
  })

  it('a wrapper of child_process.spawn and exec, as tracers put one', async () => {
    const { spawn: nodes } = childProcess
    childProcess.spawn = ((...args: Parameters<typeof spawn>) => nodes(...args)) as typeof nodes
    onTestFinished(() => {
      childProcess.spawn = nodes
    })
    guarded()
    const child = ended(childProcess.spawn('sleep', ['1000']))
    expect([ignoredBy(child), protectionOf(child)?.enforced]).toEqual([[SIGINT], enforced.system])
  })

  it('a process.kill of another’s goes on', async () => {
    const plain = process.kill
    const guard = guarded()
    const ours = process.kill
    const seen: unknown[] = []
    process.kill = (pid, signal) => {
      seen.push(signal)
      return ours(pid, signal)
    }
    onTestFinished(() => {
      process.kill = plain
    })
    const child = sleep()
    process.kill(child.pid as number, 'SIGINT')
    expect(await closed(child)).toEqual({ code: null, signal: 'SIGTERM' })
    guard[Symbol.dispose]()
    const other = sleep()
    process.kill(other.pid as number, 'SIGINT')
    expect([await closed(other), seen]).toEqual([{ code: null, signal: 'SIGINT' }, ['SIGINT', 'SIGINT']])
  })
})

describe('what watches a start', () => {
  it('async_hooks see one process more, and contexts are those of the start', async () => {
    const storage = new AsyncLocalStorage<string>()
    let processes = 0
    const init = (_id: number, type: string) => {
      if (type === 'PROCESSWRAP') processes += 1
    }
    const hook = createHook({ init }).enable()
    onTestFinished(() => void hook.disable())
    const run = async () => {
      processes = 0
      const child = storage.run('start', () => spawn('true'))
      const end = once(child, 'close')
      const store = await storage.run(
        'listening',
        () => new Promise((resolve) => child.on('exit', () => resolve(storage.getStore()))),
      )
      await end
      return [store, processes]
    }
    expect(await run()).toEqual(['start', 1])
    guarded()
    expect(await run()).toEqual(['start', 2])
  })

  it('diagnostics channels tell the same, in the same order', async () => {
    const run = async () => {
      const seen: string[] = []
      const onChild = (message: unknown) => {
        const { process: child } = message as { process: ChildProcess }
        seen.push(`child_process ${child.constructor.name} ${child.pid === undefined}`)
      }
      subscribe('child_process', onChild)
      const tracing = tracingChannel('child_process.spawn')
      const on = (event: string) => (message: unknown) => {
        const { process: child } = message as { process: ChildProcess }
        seen.push(`${event} ${child.pid === undefined}`)
      }
      const handlers = {
        start: on('start'),
        end: on('end'),
        error: on('error'),
        asyncStart: on('asyncStart'),
        asyncEnd: on('asyncEnd'),
      }
      tracing.subscribe(handlers)
      await closed(spawn('true'))
      await once(spawn('/no/such/program'), 'error')
      tracing.unsubscribe(handlers)
      unsubscribe('child_process', onChild)
      return seen
    }
    const plain = await run()
    guarded()
    expect(await run()).toEqual(plain)
    expect(plain.length).toBeGreaterThanOrEqual(2)
  })

  it.each([undefined, ['ONLY=this']])('envPairs %j are Node’s: none is what this process has', async (envPairs) => {
    process.env.SIGSHIELD_TEST = 'inherited'
    onTestFinished(() => void delete process.env.SIGSHIELD_TEST)
    const run = async () => {
      const child = ended(new ChildProcess())
      const args = ['sh', '-c', 'echo $SIGSHIELD_TEST $ONLY']
      ;(child as unknown as Spawns).spawn({
        file: '/bin/sh',
        args,
        envPairs: envPairs && [...envPairs],
        stdio: ['ignore', 'pipe', 2],
      })
      return line(child.stdout)
    }
    const plain = await run()
    guarded()
    expect([await run(), plain]).toEqual([plain, envPairs ? 'this' : 'inherited'])
  })
})

it('a worker thread needs a guard of its own, and has its children’s end with its own', async () => {
  const program = new NodeProgram(`
    import { spawn } from 'node:child_process'
    import { once } from 'node:events'
    import { Worker, isMainThread } from 'node:worker_threads'
    import { protect } from 'sigshield'
    import { stateOf } from 'sigshield/signals'
    const guard = protect()
    const code = (start) => \`
      const { spawn } = require('node:child_process')
      const { parentPort } = require('node:worker_threads')
      import('\${import.meta.resolve('sigshield')}').then(({ protect }) => {
        \${start}
        parentPort.postMessage(spawn('sleep', ['1000'], { stdio: 'ignore' }).pid)
        parentPort.on('message', () => {})
      })\`
    for (const start of ['', 'protect()']) {
      const worker = new Worker(code(start), { eval: true, execArgv: [] })
      const [pid] = await once(worker, 'message')
      console.log(stateOf(pid).ignored.includes('SIGINT'), pid)
      await worker.terminate()
      console.log('terminated')
      if (start === '') process.kill(pid, 'SIGKILL')
    }`)
  expect(await program.line()).toMatch(/^false /)
  await program.says('terminated')
  const [ignored, pid] = (await program.line()).split(' ')
  expect(ignored).toBe('true')
  await program.says('terminated')
  await until(() => !isRunning(Number(pid)), 'it has gone with its thread')
  await program.end()
})

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

it('exec’s time-out, its AbortSignal and a killSignal that is ignored end it', async () => {
  guarded()
  const outcome = (options: childProcess.ExecOptions) =>
    new Promise((resolve) => {
      exec('exec sleep 1000', options, (error) => resolve([error?.killed, error?.signal, error?.name]))
    })
  expect(await outcome({ timeout: 20 })).toEqual([true, 'SIGTERM', 'Error'])
  expect(await outcome({ timeout: 20, killSignal: 'SIGINT' })).toEqual([true, 'SIGTERM', 'Error'])
  expect(await outcome({ signal: AbortSignal.timeout(20), killSignal: 'SIGINT' })).toMatchObject([
    undefined,
    undefined,
    'AbortError',
  ])
})
