/** From the start of a child to its 'close': the same calls over a child of child_process and over ours. */
import childProcess, { type ChildProcess, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { spawnProtected } from 'sigshield'
import { describe, expect, it } from 'vitest'
import { unprotected, withoutStep } from '../support/node/differences.js'
import { closed, ended, isAlive, line, until } from '../support/processes.js'

type Spawn = (command: string, args?: string[], options?: SpawnOptions) => ChildProcess

const atOnce: Spawn = (command, args = [], options = {}) => {
  return spawnProtected(command, args, { ...options, waitForExec: false })
}

const sides: [side: string, spawn: Spawn][] = [
  ['child_process', childProcess.spawn as Spawn],
  ['sigshield', spawnProtected as Spawn],
  ['sigshield without waiting', atOnce],
]

/** The same observation on all sides. */
async function alike(observe: (spawn: Spawn) => Promise<unknown> | unknown): Promise<void> {
  const node = await observe(childProcess.spawn as Spawn)
  expect(await observe(spawnProtected as Spawn)).toEqual(node)
  expect(await observe(atOnce)).toEqual(node)
}

function shape(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  return { ...error, name: error.name, kind: error.constructor.name, message: error.message, cause: error.cause }
}

function thrownBy(action: () => unknown): unknown {
  try {
    return { returned: action() }
  } catch (error) {
    return { thrown: shape(error) }
  }
}

/** All events of a child by their names, with their arguments, until it is closed. */
async function life(child: ChildProcess): Promise<unknown[]> {
  const events: unknown[] = []
  for (const name of ['spawn', 'exit', 'close', 'error', 'disconnect']) {
    child.on(name, (...args) => events.push([name, ...args.map(shape)]))
  }
  await new Promise((resolve) => child.once('close', resolve))
  return events
}

function state({ exitCode, signalCode, killed, connected, spawnfile, spawnargs }: ChildProcess): object {
  return { exitCode, signalCode, killed, connected, spawnfile, spawnargs }
}

/** Runs a script whose `spawn` is the one or the other. */
async function run(side: string, script: string): Promise<{ output: string; exit: object }> {
  const sources: Record<string, string> = {
    child_process: "import { spawn } from 'node:child_process'",
    sigshield: "import { spawnProtected as spawn } from 'sigshield'",
    'sigshield without waiting': `import { spawnProtected } from 'sigshield'
      // The first waits.
      spawnProtected('true', { stdio: 'ignore' })
      const spawn = (command, args = [], options = {}) => spawnProtected(command, args, { ...options, waitForExec: false })`,
  }
  const args = ['--input-type=module', '-e', `${sources[side]}\n${script}`]
  const parent = ended(childProcess.spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] }))
  const [output, exit] = await Promise.all([text(parent.stdout), closed(parent)])
  return { output, exit }
}

describe.each(sides)('%s', (side, spawn) => {
  describe('the loop of a parent', () => {
    it('lives as long as its child', async () => {
      const script = `
        const child = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] })
        child.stdin.unref()
        console.log(child._handle.hasRef())
        child.on('exit', (...exit) => console.log(...exit))
        process.once('beforeExit', () => console.log('ended'))
        setImmediate(() => child.stdin.end())`
      expect(await run(side, script)).toEqual({ output: 'true\n0 null\nended\n', exit: { code: 0, signal: null } })
    })

    it('ends before a child that is let go, and lives on for one that is taken back', async () => {
      const script = `
        const start = () => spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] })
        const [free, held] = [start(), start()]
        for (const child of [free, held]) {
          child.stdin.unref()
          child.unref()
        }
        const refs = [free._handle.hasRef(), held._handle.hasRef()]
        held.unref()
        held.ref()
        held.ref()
        console.log(...refs, held._handle.hasRef())
        free.on('exit', () => console.log('never seen'))
        held.on('exit', () => console.log('held is gone', held._handle))
        setImmediate(() => held.stdin.end())
        process.on('exit', () => console.log('ended'))`
      expect((await run(side, script)).output).toBe('false false true\nheld is gone null\nended\n')
    })

    it('takes ref() and unref() of a child that is gone', async () => {
      const child = ended(spawn('true'))
      await closed(child)
      expect([child.ref(), child.unref()]).toEqual([undefined, undefined])
    })

    it('lives as long as an output that is open, without the process', async () => {
      const script = `
        const child = spawn('sh', ['-c', 'read -r line; echo "got $line"'])
        child.unref()
        child.stdout.on('data', (data) => console.log(String(data).trim()))
        setImmediate(() => child.stdin.end('it\\n'))`
      expect((await run(side, script)).output).toBe('got it\n')
    })
  })

  it('has its events in order, and all data before close', async () => {
    const child = ended(spawn('sh', ['-c', 'echo out; echo err >&2; exit 3']))
    const events: string[] = []
    for (const name of ['spawn', 'exit', 'close']) child.on(name, () => events.push(name))
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.on('data', (data) => events.push(`${data}`.trim())).on('end', () => events.push(`${name} ends`))
    }
    expect(events).toEqual([])
    await closed(child)
    expect(events[0]).toBe('spawn')
    expect(events.at(-1)).toBe('close')
    expect([...events].sort()).toEqual(['close', 'err', 'exit', 'out', 'spawn', 'stderr ends', 'stdout ends'])
    expect(events.indexOf('out')).toBeLessThan(events.indexOf('stdout ends'))
    expect(events.indexOf('err')).toBeLessThan(events.indexOf('stderr ends'))
  })

  it("has 'close' without a reader, and when reading begins with 'exit'", async () => {
    const output = ['-c', 'i=0; while [ $i -lt 1000 ]; do echo line; i=$((i+1)); done']
    const unread = ended(spawn('sh', output))
    expect(await closed(unread)).toEqual({ code: 0, signal: null })
    const late = ended(spawn('sh', output))
    const reading = new Promise<string>((resolve) => {
      late.once('exit', () => resolve(text(late.stdout as NodeJS.ReadableStream)))
    })
    expect(await reading).toBe('line\n'.repeat(1000))
  })

  it("a grandchild that keeps the output open delays 'close' but not 'exit'", async () => {
    // The grandchild lives until the third pipe is closed.
    const script = 'cat <&3 & exec 3<&-; echo $!; exit 0'
    const child = ended(spawn('bash', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore', 'pipe'] }))
    const events: string[] = []
    for (const name of ['exit', 'close']) child.on(name, () => events.push(name))
    const grandchild = Number(await line(child.stdout))
    if (child.exitCode === null) await once(child, 'exit')
    expect(child.exitCode).toBe(0)
    expect(isAlive(grandchild)).toBe(true)
    expect(events).toEqual(['exit'])
    const feed = child.stdio[3] as unknown as NodeJS.WritableStream
    feed.write('still here\n')
    expect(await line(child.stdout)).toBe('still here')
    expect(events).toEqual(['exit'])
    const close = once(child, 'close')
    feed.end()
    expect(await close).toEqual([0, null])
    await until(() => !isAlive(grandchild), 'the grandchild leaves')
  })

  it('gives its output to another child as input', async () => {
    const first = ended(spawn('cat', [], { stdio: ['pipe', 'pipe', 'inherit'] }))
    const second = ended(spawn('cat', [], { stdio: [first.stdout, 'pipe', 'inherit'] }))
    // The second holds it now.
    first.stdout?.destroy()
    const output = text(second.stdout as NodeJS.ReadableStream)
    const closes = Promise.all([closed(first), closed(second)])
    const message = 'through two\n'.repeat(10_000)
    first.stdin?.end(message)
    expect(await output).toBe(message)
    expect(await closes).toEqual(Array(2).fill({ code: 0, signal: null }))
  })

  it("leaves an output that another child reads alone at 'exit'", async () => {
    const first = ended(spawn('sh', ['-c', 'echo from the first'], { stdio: ['ignore', 'pipe', 'inherit'] }))
    const exit = once(first, 'exit')
    const second = ended(
      spawn('sh', ['-c', 'read -r go <&3; cat'], { stdio: [first.stdout, 'pipe', 'inherit', 'pipe'] }),
    )
    await exit
    // What the parent would read of it now is missing from the second's output.
    await new Promise(setImmediate)
    expect((first.stdout as unknown as { readableFlowing: boolean }).readableFlowing).toBe(false)
    const output = text(second.stdout as NodeJS.ReadableStream)
    ;(second.stdio[3] as unknown as NodeJS.WritableStream).end('go\n')
    expect(await output).toBe('from the first\n')
    first.stdout?.destroy()
    if (second.exitCode === null) await closed(second)
  })

  it('works with pipelines, readline and iteration', async () => {
    const upper = ended(spawn('tr', ['a-z', 'A-Z']))
    const sorted = ended(spawn('sort'))
    const lines: string[] = []
    const reading = (async () => {
      for await (const text of createInterface({ input: sorted.stdout as NodeJS.ReadableStream })) lines.push(text)
    })()
    await Promise.all([
      pipeline(['c\n', 'b\n', 'a\n'], upper.stdin as NodeJS.WritableStream),
      pipeline(upper.stdout as NodeJS.ReadableStream, sorted.stdin as NodeJS.WritableStream),
      reading,
      closed(upper),
      closed(sorted),
    ])
    expect(lines).toEqual(['A', 'B', 'C'])
  })

  it('is awaited by events.once, which fails with the error of a start that fails', async () => {
    expect(await once(ended(spawn('sh', ['-c', 'exit 7'])), 'close')).toEqual([7, null])
    await expect(once(spawn('/no/such/program'), 'close')).rejects.toMatchObject({
      code: 'ENOENT',
      syscall: 'spawn /no/such/program',
      path: '/no/such/program',
      spawnargs: [],
    })
  })

  it('is killed by Symbol.dispose, once', async () => {
    const child = ended(spawn('cat'))
    const dispose = (child as unknown as Record<symbol, () => void>)[Symbol.dispose]
    expect(dispose?.call(child)).toBeUndefined()
    expect(child.killed).toBe(true)
    expect(await closed(child)).toEqual({ code: null, signal: 'SIGTERM' })
    expect(dispose?.call(child)).toBeUndefined()
  })

  it.each([
    [{}, 'SIGTERM'],
    [{ killSignal: null as never }, 'SIGTERM'],
    [{ killSignal: 'SIGKILL' }, 'SIGKILL'],
    [{ killSignal: 'sigusr1' as NodeJS.Signals }, 'SIGUSR1'],
    [{ killSignal: constants.signals.SIGUSR2 }, 'SIGUSR2'],
  ] as const)('ends at its time-out with %j', async (options, signal) => {
    const child = ended(spawn('cat', [], { timeout: 1, ...options }))
    expect(await closed(child)).toEqual({ code: null, signal })
    expect(child.killed).toBe(true)
  })

  it('a time-out that is not reached keeps no loop alive', async () => {
    // Killed by its own parent's time-out if it waited for it.
    const script = "spawn('true', { timeout: 1000_000 }).on('close', (...exit) => console.log(...exit))"
    expect(await run(side, script)).toEqual({ output: '0 null\n', exit: { code: 0, signal: null } })
  })

  it('leaves no listener on an AbortSignal behind', async () => {
    const controller = new AbortController()
    const { getEventListeners } = await import('node:events')
    const child = ended(spawn('cat', [], { signal: controller.signal }))
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1)
    child.stdin?.end()
    await closed(child)
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
    controller.abort()
    expect(child.killed).toBe(false)
  })
})

describe('alike', () => {
  it.each([
    ['nothing', []],
    ['undefined', [undefined]],
    ['0', [0]],
    ['15', [15]],
    ['SIGKILL', ['SIGKILL']],
    ['lower case', ['sigterm']],
    ['a name without SIG', ['TERM']],
    ['an unknown name', ['SIGNONE']],
    ['an unknown number', [1000]],
    ['a negative number', [-1]],
    ['a real-time signal', [40]],
    ['a fraction', [1.5]],
    ['null', [null]],
    ['an empty name', ['']],
    ['an object', [{}]],
    ['the name of zero', ['0']],
  ])('kill(): %s', async (_what, args) => {
    await alike(async (spawn) => {
      const child = ended(spawn('cat'))
      const kill = () => thrownBy(() => child.kill(...(args as [NodeJS.Signals])))
      const first = kill()
      const killed = child.killed
      const events = life(child)
      child.kill('SIGKILL')
      child.removeAllListeners('error')
      const [, exit] = [await events, child.exitCode]
      return { first, killed, exit, afterwards: kill(), killedAfterwards: child.killed }
    })
  })

  it.each([
    ['a program that ends', 'exit 3', undefined],
    ['a program that a signal ends', 'kill -KILL $$', undefined],
    ['a program that is killed', 'exec cat', 'SIGTERM'],
  ] as const)('fields and events of %s', async (_what, script, signal) => {
    await alike(async (spawn) => {
      const child = ended(spawn('sh', ['-c', script], { argv0: 'shell' }))
      const started = state(child)
      if (signal) child.kill(signal)
      const killed = state(child)
      return { started, killed, events: await life(child), ended: state(child) }
    })
  })

  it('fields and events of a program that is not there', async () => {
    await alike(async (spawn) => {
      const child = spawn('/no/such/program', ['a'])
      const started = { ...state(child), pid: child.pid, kill: child.kill(), killed: child.killed }
      const events = (await life(child)).map((event) => {
        const [name, error, ...rest] = event as [string, object]
        return [name, typeof error === 'object' && error ? withoutStep(error) : error, ...rest]
      })
      return { started, events, ended: state(child), kill: child.kill() }
    })
  })

  it('an AbortSignal that aborts while the child runs', async () => {
    await alike(async (spawn) => {
      const controller = new AbortController()
      const child = ended(spawn('cat', [], { signal: controller.signal, killSignal: 'SIGINT', ...unprotected }))
      const events = life(child)
      child.once('spawn', () => controller.abort(new Error('enough')))
      return { events: await events, ended: state(child) }
    })
  })

  it.each([
    ['a reason', 'a string'],
    ['no reason', undefined],
  ])('an AbortSignal that was aborted before, with %s', async (_what, reason) => {
    await alike(async (spawn) => {
      const child = ended(spawn('cat', [], { signal: AbortSignal.abort(reason) }))
      return { events: await life(child), ended: state(child) }
    })
  })

  it('an AbortSignal that aborts at once, and again', async () => {
    await alike(async (spawn) => {
      const controller = new AbortController()
      const child = ended(spawn('cat', [], { signal: controller.signal }))
      const events = life(child)
      controller.abort('first')
      controller.abort('second')
      return { events: await events, ended: state(child) }
    })
  })

  it('an AbortSignal that aborts after the exit', async () => {
    await alike(async (spawn) => {
      const controller = new AbortController()
      const child = ended(spawn('true', [], { signal: controller.signal }))
      const events = life(child)
      child.once('exit', () => controller.abort('late'))
      return { events: await events, ended: state(child) }
    })
  })

  it('an AbortSignal when the program is not there', async () => {
    await alike(async (spawn) => {
      const child = spawn('/no/such/program', [], { signal: AbortSignal.abort('before') })
      return { events: (await life(child)).map((event) => (event as unknown[])[0]), ended: state(child) }
    })
  })

  it('options that mean nothing here', async () => {
    await alike(async (spawn) => {
      const child = ended(
        spawn('sh', ['-c', 'echo "$0 $1"', '"quoted"', 'two words'], {
          windowsHide: true,
          windowsVerbatimArguments: true,
        }),
      )
      const [output, events] = await Promise.all([text(child.stdout as NodeJS.ReadableStream), life(child)])
      return { output, events }
    })
  })

  it('how much an input takes that nobody reads', async () => {
    await alike(async (spawn) => {
      const child = ended(spawn('sleep', ['1000'], { stdio: ['pipe', 'ignore', 'ignore'] }))
      const flowing = Array.from({ length: 10 }, () => child.stdin?.write('x'.repeat(64 * 1024)))
      const waiting = child.stdin?.writableLength
      child.stdin?.on('error', () => {})
      const end = closed(child)
      child.kill('SIGKILL')
      await end
      return { flowing, waiting }
    })
  })

  it('stdio that is closed by the parent first', async () => {
    await alike(async (spawn) => {
      const child = ended(spawn('cat'))
      const events = life(child)
      child.stdout?.destroy()
      child.stderr?.destroy()
      child.stdin?.end()
      return events
    })
  })
})
