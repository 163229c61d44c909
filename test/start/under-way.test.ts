/** `waitForExec: false`: starts that return before their programs run. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, copyFileSync, existsSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { ExitEvent, forkProtected, Supervisor, spawnProtected } from 'sigshield'
import { beforeAll, describe, expect, it } from 'vitest'
import { programs } from '../support/build-programs.js'
import { children } from '../support/census.js'
import { closed, echo, ended, line, nothing, SIGINT, temporaryFolder, until } from '../support/processes.js'
import { expectRefused, leavesNothing } from '../support/refusal.js'
import { signalState } from '../support/signal-state.js'

const atOnce = { waitForExec: false } as const
const library = pathToFileURL(join(import.meta.dirname, '../../dist/index.js')).href

// The first start of a process waits all the same.
beforeAll(async () => void (await once(spawnProtected('true'), 'close')))

/** A program that may be executed, and can't be. */
function withoutInterpreter(): string {
  const file = join(temporaryFolder(), 'program')
  writeFileSync(file, '#!/no/such/interpreter\n', { mode: 0o755 })
  return file
}

function eventsOf(child: ChildProcess): unknown[][] {
  const events: unknown[][] = []
  for (const name of ['spawn', 'error', 'exit', 'close']) child.on(name, (...args) => events.push([name, ...args]))
  return events
}

it.each([
  ['no', `'no'`],
  [0, '0'],
])('the option is no %j', async (waitForExec, received) => {
  const message = `The "options.waitForExec" property must be of type boolean. Received ${received}`
  await expectRefused({ waitForExec }, 'ERR_INVALID_ARG_TYPE', message)
})

it('a program that was found in PATH is looked for again', async () => {
  const first = temporaryFolder()
  const second = temporaryFolder()
  const env = { PATH: `${first}:${second}` }
  const said = async () => {
    const child = ended(spawnProtected('program', [], { ...atOnce, env }))
    const text = await line(child.stdout)
    await closed(child)
    return text
  }
  for (const folder of [second, first, first]) {
    writeFileSync(join(folder, 'program'), `#!/bin/sh\necho ${folder}\n`, { mode: 0o755 })
    expect(await said()).toBe(folder)
  }
  rmSync(join(first, 'program'))
  expect(await said()).toBe(second)
  rmSync(join(second, 'program'))
  await leavesNothing(async () => {
    const child = spawnProtected('program', [], { ...atOnce, env })
    expect(child.pid).toBeUndefined()
    await expect(once(child, 'spawn')).rejects.toMatchObject({ code: 'ENOENT', step: 'execve' })
  })
})

describe('a child', () => {
  it("has what it was given by 'spawn', which comes first, and is protected", async () => {
    const child = ended(spawnProtected('cat', [], { ...atOnce, ignore: ['SIGINT', 'SIGHUP'] }))
    const events = eventsOf(child)
    await once(child, 'spawn')
    expect(child.enforced).not.toBe(false)
    expect(signalState(child.pid as number).ignored).toEqual(expect.arrayContaining([1, SIGINT]))
    child.kill('SIGINT')
    expect(await echo(child, 'alive')).toBe('alive')
    child.stdin.end()
    expect(await closed(child)).toEqual({ code: 0, signal: null })
    expect(events).toEqual([['spawn'], ['exit', 0, null], ['close', 0, null]])
  })

  it('has its exit event, and an IPC channel', async () => {
    const exitEvent = new ExitEvent()
    const worker = ended(
      forkProtected(join(import.meta.dirname, '../support/start/echo-worker.mjs'), { ...atOnce, silent: true }),
    )
    expect(await line(worker.stdout)).toBe('ready')
    worker.stdin?.end()
    await closed(worker)
    const child = ended(
      spawnProtected('sh', ['-c', 'read -r word <&"$SIGSHIELD_EXIT_FD"; echo "$word"'], { ...atOnce, exitEvent }),
    )
    exitEvent.set()
    expect(await line(child.stdout)).toBe('exit requested')
    await closed(child)
  })

  it('is one of many that are started in one turn of the loop', async () => {
    const before = children()
    const started = Array.from({ length: 100 }, (_, i) => {
      return ended(spawnProtected('sh', ['-c', `exit ${i}`], { ...atOnce, stdio: 'ignore' }))
    })
    const events = started.map(eventsOf)
    await Promise.all(started.map(closed))
    expect(events).toEqual(started.map((_, i) => [['spawn'], ['exit', i, null], ['close', i, null]]))
    expect(children()).toEqual(before)
  })

  it('has all its events where listeners throw, and where the code after its start does', async () => {
    const code = `import { spawnProtected } from '${library}'
      process.on('uncaughtException', ({ message }) => console.log('uncaught', message))
      const wait = () => {
        const until = performance.now() + 200
        while (performance.now() < until);
      }
      spawnProtected('true', { stdio: 'ignore' }).on('close', () => {
        const other = spawnProtected('echo', ['ready'])
        // Its output and its end come in one turn of the loop, and the start is over by then too.
        other.stdout.once('data', () => {
          const child = spawnProtected('true', { stdio: 'ignore', waitForExec: false })
          for (const name of ['spawn', 'exit']) child.on(name, () => { throw new Error(name) })
          child.on('close', (code) => console.log('closed', code))
          wait()
          throw new Error('before')
        })
        wait()
      })`
    const parent = ended(
      spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] }),
    )
    let said = ''
    parent.stdout.on('data', (data) => (said += data))
    expect(await closed(parent)).toEqual({ code: 0, signal: null })
    expect(said).toBe('uncaught before\nuncaught spawn\nclosed 0\nuncaught exit\n')
  })

  it('keeps its own, though its parent ends at once', async () => {
    const file = join(temporaryFolder(), 'written')
    const code = `import { spawnProtected } from '${library}'
      spawnProtected('true')
      spawnProtected('sh', ['-c', 'echo done > ${file}'], { waitForExec: false, stdio: 'ignore' })
      process.exit(5)`
    expect(await closed(spawn(process.execPath, ['--input-type=module', '-e', code]))).toMatchObject({ code: 5 })
    await until(() => existsSync(file), 'the child has run')
  })
})

describe('what the kernel alone can say', () => {
  const busy = () => {
    const file = join(temporaryFolder(), 'busy')
    copyFileSync(nothing, file)
    return { file, fd: openSync(file, 'r+') }
  }

  /** As of a start that waits, but for when it comes. */
  async function refusedLater(file: string, args: string[] = []): Promise<void> {
    const expected = await errorOf(() => spawnProtected(file, args))
    await leavesNothing(async () => {
      const child = spawnProtected(file, args, atOnce)
      const events = eventsOf(child)
      expect(child.pid).toBeGreaterThan(0)
      const code = await new Promise((resolve) => child.once('close', resolve))
      expect(events.map(([name]) => name)).toEqual(['error', 'close'])
      const error = events[0]?.at(1) as typeof expected
      expect(error).toMatchObject({
        code: expected.code,
        errno: expected.errno,
        step: 'execve',
        path: file,
        spawnargs: args,
      })
      expect(error.message).toBe(`spawn ${file} ${expected.code}`)
      expect([code, child.exitCode, child.pid]).toEqual([error.errno, error.errno, undefined])
      expect(await child.stop()).toEqual({ code: null, signal: null, forced: false })
      expect([child.kill(), child.enforced]).toEqual([false, false])
    })
  }

  async function errorOf(start: () => ChildProcess): Promise<NodeJS.ErrnoException> {
    try {
      const [error] = await once(start(), 'error')
      return error
    } catch (error) {
      return error as NodeJS.ErrnoException
    }
  }

  it('a missing interpreter', () => refusedLater(withoutInterpreter()))
  it('arguments that are too long', () => refusedLater('true', ['x'.repeat(2 ** 18)]))
  it('a file that is being written', async () => {
    const { file, fd } = busy()
    try {
      await refusedLater(file)
    } finally {
      closeSync(fd)
    }
  })

  it('is an uncaught exception where nobody listens', async () => {
    const code = `import { spawnProtected } from '${library}'
      spawnProtected('true').on('close', () => spawnProtected('${withoutInterpreter()}', { waitForExec: false }))`
    const child = ended(
      spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'ignore', 'pipe'] }),
    )
    let said = ''
    child.stderr.on('data', (data) => (said += data))
    expect(await closed(child)).toMatchObject({ code: 1 })
    expect(said).toMatch(/ENOENT[\s\S]*step: 'execve'/)
  })
})

it.each([
  ['a missing program', ['/no/such/program', [], {}]],
  ['a missing directory', ['true', [], { cwd: '/no/such' }]],
  ['a directory in place of a program', ['/tmp', [], {}]],
] as [string, [string, string[], object]][])(
  '%s is told as by a start that waits',
  async (_what, [file, args, options]) => {
    await leavesNothing(async () => {
      const outcome = async (more: object) => {
        const child = spawnProtected(file, args, { ...options, ...more })
        expect(child.pid).toBeUndefined()
        const [error] = await once(child, 'error')
        return { message: error.message, ...error }
      }
      expect(await outcome(atOnce)).toEqual(await outcome({}))
    })
  },
)

describe('a child that is not through', () => {
  /** A parent whose children with a directory of their own wait until `flag` is gone; it runs `code`, and says what it does. */
  function heldParent(code: string) {
    const flag = join(temporaryFolder(), 'held')
    const source = `import { once } from 'node:events'
      import { spawnProtected } from '${library}'
      await once(spawnProtected('true'), 'close')
      const start = (file, args, options) => {
        const child = spawnProtected(file, args, { cwd: '/', waitForExec: false, stdio: 'ignore', ...options })
        for (const name of ['spawn', 'error', 'exit']) child.on(name, (...args) => console.log(name, ...args.map((arg) => arg?.code ?? arg)))
        return child
      }
      ${code}`
    const command = [process.execPath, '--input-type=module', '-e', source]
    const parent = ended(spawn(join(programs, 'held'), [flag, ...command], { stdio: ['pipe', 'pipe', 'inherit'] }))
    return { parent, flag }
  }
  const letGo = async (flag: string) => {
    await until(() => existsSync(flag), 'the child is held')
    rmSync(flag)
  }

  it("lets the start return, and the loop turn; 'spawn' comes when it is", async () => {
    const { parent, flag } = heldParent(`
      const child = start('true', [])
      console.log('returned', child.enforced, typeof child.pid)
      process.stdin.on('data', (data) => process.stdout.write(data)).unref()`)
    expect(await line(parent.stdout)).toBe('returned false number')
    await until(() => existsSync(flag), 'the child is held')
    // Later turns of the loop tell nothing of it.
    for (const word of ['one', 'two']) expect(await echo(parent, word)).toBe(word)
    await letGo(flag)
    expect([await line(parent.stdout), await line(parent.stdout)]).toEqual(['spawn', 'exit 0 null'])
    parent.stdin.end()
    expect(await closed(parent)).toEqual({ code: 0, signal: null })
  })

  it('leads its own session by the time that the start returns', async () => {
    const { parent, flag } = heldParent(`
      const { readFileSync } = await import('node:fs')
      for (const detached of [false, true]) {
        const child = start('true', [], { detached })
        const session = Number(readFileSync('/proc/' + child.pid + '/stat', 'utf8').split(' ')[5])
        console.log(child.enforced, session === child.pid)
      }`)
    expect([await line(parent.stdout), await line(parent.stdout)]).toEqual(['false false', 'false true'])
    const events = []
    for (let i = 0; i < 4; i += 1) {
      if (i < 2) await letGo(flag)
      events.push(await line(parent.stdout))
    }
    expect(events.sort()).toEqual(['exit 0 null', 'exit 0 null', 'spawn', 'spawn'])
    expect(await closed(parent)).toEqual({ code: 0, signal: null })
  })

  it('keeps the loop alive, also where it is let go of', async () => {
    const { parent, flag } = heldParent(`start('true', []).unref()`)
    await letGo(flag)
    expect(await line(parent.stdout)).toBe('spawn')
    expect(await closed(parent)).toEqual({ code: 0, signal: null })
  })

  it('has a signal that it is sent when it is through', async () => {
    const { parent, flag } = heldParent(`
      const child = start('sleep', ['1000'])
      console.log(child.kill('SIGINT'), child.kill('SIGTERM'))`)
    expect(await line(parent.stdout)).toBe('true true')
    await letGo(flag)
    expect([await line(parent.stdout), await line(parent.stdout)]).toEqual(['spawn', 'exit null SIGTERM'])
    await closed(parent)
  })

  it('is ended by SIGKILL all the same', async () => {
    const { parent, flag } = heldParent(`
      const child = start('sleep', ['1000'])
      process.stdin.once('data', () => child.kill('SIGKILL')).unref()`)
    await until(() => existsSync(flag), 'the child is held')
    parent.stdin.write('now\n')
    expect([await line(parent.stdout), await line(parent.stdout)]).toEqual(['spawn', 'exit null SIGKILL'])
    rmSync(flag)
    await closed(parent)
  })
})

describe('waits all the same', () => {
  it.each([
    ['with other ids', { uid: 65534, gid: 65534 }],
    ['when its AbortSignal has been aborted', { signal: AbortSignal.abort() }],
    ['under the guard', { enforce: 'guard' }],
  ])('%s', async (_what, options) => {
    const child = spawnProtected('true', [], { ...atOnce, stdio: 'ignore', ...(options as object) })
    child.on('error', () => {})
    expect(child.enforced).not.toBe(false)
    await new Promise((resolve) => child.once('close', resolve))
  })

  it('in a process group that is given', async () => {
    const leader = ended(spawnProtected('cat', [], { processGroup: true }))
    const child = ended(spawnProtected('true', [], { ...atOnce, processGroup: leader.pid as number }))
    expect(child.enforced).not.toBe(false)
    await closed(child)
  })

  it('in a worker thread', async () => {
    const code = `import('${library}').then(async ({ spawnProtected }) => {
      const { once } = await import('node:events')
      await once(spawnProtected('true'), 'close')
      const child = spawnProtected('true', { waitForExec: false })
      require('node:worker_threads').parentPort.postMessage(child.enforced)
    })`
    const worker = new Worker(code, { eval: true })
    expect((await once(worker, 'message'))[0]).not.toBe(false)
    await once(worker, 'exit')
  })
})

it('a supervisor refuses it, and what it protects waits', () => {
  const refused = { code: 'ERR_INVALID_ARG_VALUE', message: expect.stringMatching(/a supervisor has to know at once/) }
  expect(() => new Supervisor(atOnce as object)).toThrow(expect.objectContaining(refused))
  const supervisor = new Supervisor()
  expect(() => supervisor.spawn('true', atOnce)).toThrow(expect.objectContaining(refused))
})

it('a write to one that never ran breaks nothing', async () => {
  const file = withoutInterpreter()
  for (let i = 0; i < 20; i += 1) {
    const child = spawnProtected(file, [], atOnce)
    const events = eventsOf(child)
    child.stdin.on('error', (error) => events.push(['stdin', error]))
    child.stdin.end('x'.repeat(3_000_000))
    await new Promise((resolve) => child.once('close', resolve))
    expect(events.map(([name]) => name)).toEqual(['error', 'close'])
  }
})

it('the group that it leads can be signalled at once', async () => {
  for (const options of [{ processGroup: true }, { detached: true }]) {
    for (let i = 0; i < 20; i += 1) {
      const child = ended(spawnProtected('sleep', ['1000'], { ...atOnce, ...options, stdio: 'ignore' }))
      process.kill(-(child.pid as number), 'SIGTERM')
      expect(await closed(child)).toEqual({ code: null, signal: 'SIGTERM' })
    }
    const child = ended(spawnProtected('sleep', ['1000'], { ...atOnce, ...options, stdio: 'ignore' }))
    expect(await child.stop({ target: 'group', grace: 0 })).toMatchObject({ signal: 'SIGKILL', forced: true })
  }
})

it('an error is told also of one that is let go', async () => {
  const file = withoutInterpreter()
  const code = `import { spawnProtected } from '${library}'
    let [told, left] = [0, 300]
    const next = () => {
      if (left-- === 0) return
      const child = spawnProtected('${file}', [], { waitForExec: false, stdio: 'ignore' })
      child.unref()
      child.on('error', () => (told += 1))
    }
    // Where the loop has nothing else to do.
    process.on('beforeExit', () => {
      if (left >= 0) setImmediate(next)
      else console.log(told)
    })
    spawnProtected('true', { stdio: 'ignore' })`
  const parent = ended(
    spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] }),
  )
  expect(await line(parent.stdout)).toBe('300')
  await closed(parent)
})
