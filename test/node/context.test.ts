/** What surrounds a start: async context, diagnostics, NODE_OPTIONS. As with child_process. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { ChildProcess, type ForkOptions, type SpawnOptions } from 'node:child_process'
import { channel, tracingChannel } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished } from 'vitest'
import { alike, type Side } from '../support/node/sides.js'
import { closed, ended } from '../support/processes.js'

const worker = join(import.meta.dirname, '../support/node/ipc-worker.mjs')

describe('AsyncLocalStorage', () => {
  const storage = new AsyncLocalStorage<string>()

  /** The store in each listener of a child that is started in one context and listened to in another. */
  async function stores(
    start: () => ChildProcess,
    act: (child: ChildProcess) => void,
  ): Promise<Record<string, unknown>> {
    const child = storage.run('start', start)
    const seen: Record<string, unknown> = {}
    const see = (name: string) => () => {
      seen[name] = storage.getStore()
    }
    await storage.run('listening', async () => {
      for (const event of ['spawn', 'exit', 'close', 'error', 'message', 'disconnect']) child.on(event, see(event))
      for (const name of ['stdin', 'stdout', 'stderr'] as const) {
        child[name]?.on('close', see(`${name} close`))
        if (name !== 'stdin') child[name]?.on('data', see(`${name} data`)).on('end', see(`${name} end`))
      }
      // When the end of stdin comes is the loop's affair.
      const ends = [child, child.stdin].map(
        (emitter) => emitter && new Promise((resolve) => emitter.once('close', resolve)),
      )
      storage.run('acting', act, child)
      await Promise.all(ends)
    })
    return seen
  }

  it('is the one of the start in listeners of a child', async () => {
    const seen = await alike(({ spawn }) =>
      stores(
        () => ended(spawn('sh', ['-c', 'cat; echo err >&2'], {})),
        (child) => child.stdin?.end('out\n'),
      ),
    )
    expect(seen).toMatchObject({ spawn: 'start', exit: 'start' })
    expect(Object.keys(seen)).toHaveLength(10)
  })

  it('is the one of the start when there is no stream', async () => {
    expect(
      await alike(({ spawn }) =>
        stores(
          () => ended(spawn('true', [], { stdio: 'ignore' })),
          () => {},
        ),
      ),
    ).toEqual({
      spawn: 'start',
      exit: 'start',
      close: 'start',
    })
  })

  it('is the one of the start for a message', async () => {
    const options: ForkOptions = { execArgv: [], silent: true }
    const seen = await alike(({ fork }) =>
      stores(
        () => ended(fork(worker, [], options)),
        (child) => child.send({ ask: 'disconnect' }),
      ),
    )
    expect(seen).toMatchObject({ spawn: 'start', exit: 'start' })
    const echoed = await alike(({ fork }) =>
      stores(
        () => ended(fork(worker, [], options)),
        (child) => {
          child.send('echo')
          child.once('message', () => child.send({ ask: 'disconnect' }))
        },
      ),
    )
    expect(echoed).toHaveProperty('message')
  })

  it('in a listener of an error, of the start or of an abort', async () => {
    expect(
      await alike(({ spawn }) =>
        stores(
          () => spawn('/no/such/program', [], {}),
          () => {},
        ),
      ),
    ).toMatchObject({
      error: 'start',
    })
    await alike(({ spawn }) => {
      const controller = new AbortController()
      return stores(
        () => ended(spawn('cat', [], { signal: controller.signal })),
        () => controller.abort(),
      )
    })
    await alike(({ spawn }) =>
      stores(
        () => ended(spawn('cat', [], { signal: AbortSignal.abort() })),
        () => {},
      ),
    )
  })

  it('is the one of the start when a time-out ends the child', async () => {
    await alike(({ spawn }) =>
      stores(
        () => ended(spawn('cat', [], { timeout: 1 })),
        () => {},
      ),
    )
  })

  it('is told apart for two children', async () => {
    await alike(async ({ spawn }) => {
      const seen: unknown[] = []
      const children = ['one', 'two'].map((name) =>
        storage.run(name, () => {
          const child = ended(spawn('cat', [], { stdio: ['pipe', 'ignore', 'ignore'] }))
          child.on('exit', () => seen.push([name, storage.getStore()]))
          return child
        }),
      )
      for (const child of children.reverse()) {
        const end = closed(child)
        child.stdin?.end()
        await end
      }
      return seen
    })
  })
})

describe('diagnostics_channel', () => {
  interface Published {
    readonly process?: ChildProcess
    readonly options?: object
    readonly error?: NodeJS.ErrnoException
  }

  const names = ['child_process', ...['start', 'end', 'error'].map((part) => `tracing:child_process.spawn:${part}`)]

  /** All that is published while a child starts. */
  function published(start: () => ChildProcess): {
    messages: unknown[]
    child: ChildProcess | undefined
    thrown: unknown
  } {
    const raw: [string, Published][] = []
    const messages: unknown[] = []
    const listeners = names.map((name) => {
      const listener = (message: unknown) => {
        const { process: child, options, error, ...rest } = message as Published
        raw.push([name, message as Published])
        messages.push({
          name,
          isChild: child instanceof ChildProcess,
          handle: typeof Reflect.get(child ?? {}, '_handle'),
          pid: typeof child?.pid,
          spawnfile: child?.spawnfile,
          options: options && pick(options),
          error: error && { ...error, message: error.message },
          rest,
        })
      }
      channel(name).subscribe(listener)
      return () => channel(name).unsubscribe(listener)
    })
    try {
      const child = start()
      expect(raw.every(([, message]) => message.process === child)).toBe(true)
      return { messages, child, thrown: undefined }
    } catch (error) {
      return { messages, child: undefined, thrown: (error as NodeJS.ErrnoException).code }
    } finally {
      for (const stop of listeners) stop()
    }
  }

  /** What a subscriber can count on, of all that Node passes on. */
  function pick(options: object): object {
    const { file, args, cwd, detached, uid, gid, envPairs, windowsHide, windowsVerbatimArguments } = options as Record<
      string,
      unknown
    >
    const variables = (envPairs as string[]).map((pair) => pair.slice(0, pair.indexOf('='))).sort()
    return { file, args, cwd, detached, uid, gid, windowsHide, windowsVerbatimArguments, variables }
  }

  const env = { PATH: process.env.PATH, OWN: '1' }

  it.each([
    ['a child', 'true', { env }],
    ['a child with stdio and a directory', 'true', { env, stdio: ['pipe', 'ignore', 'pipe', 'ipc'], cwd: '/' }],
    ['a child in the environment of its parent', 'true', {}],
  ] as [string, string, SpawnOptions][])('says the same of %s', async (_what, file, options) => {
    await alike(async ({ spawn }) => {
      const { messages, child } = published(() => ended(spawn(file, ['a'], options)))
      await closed(child as ChildProcess)
      expect(messages.length).toBeGreaterThan(0)
      return messages
    })
  })

  it('says the same of a program that is not there', async () => {
    await alike(async ({ spawn }) => {
      const { messages, child } = published(() => spawn('/no/such/program', [], { env }))
      await new Promise((resolve) => child?.once('error', resolve))
      return messages
    })
  })

  it('says the same of a start that throws', async () => {
    await alike(async ({ spawn }) => {
      const { messages, thrown } = published(() => spawn('true', ['x'.repeat(200_000)], { env }))
      expect(thrown).toBe('E2BIG')
      return messages
    })
  })

  it('says the same of a worker', async () => {
    await alike(async ({ fork }) => {
      const { messages, child } = published(() => ended(fork(worker, [], { execArgv: [], silent: true, env })))
      const end = once(child as ChildProcess, 'exit')
      child?.disconnect()
      await end
      return messages
    })
  })

  it('says the same of options that are refused', async () => {
    await alike(async ({ spawn }) => published(() => spawn('true', [], { cwd: 1 as unknown as string })))
    await alike(async ({ spawn }) => published(() => spawn('true', [], { stdio: ['bad' as 'pipe'] })))
  })

  it('lets a subscriber add to the environment of a child, where child_process does', async () => {
    const tracing = tracingChannel('child_process.spawn')
    const subscriber = (message: unknown) => {
      const { options } = message as { options: { envPairs: string[] } }
      // As from a C string, what follows the NUL is lost.
      options.envPairs.push('TRACE=1\0TRACE=2')
    }
    tracing.start.subscribe(subscriber)
    onTestFinished(() => {
      tracing.start.unsubscribe(subscriber)
    })
    await alike(async ({ spawn }) => {
      const outputs = [{}, { env }].map(async (options) => {
        const child = ended(spawn('sh', ['-c', 'echo "$0 $TRACE $PATH"', 'last'], options))
        return text(child.stdout as NodeJS.ReadableStream)
      })
      return Promise.all(outputs)
    })
  })
})

describe('NODE_OPTIONS', () => {
  async function environment({ fork }: Side, options: ForkOptions): Promise<unknown> {
    const child = ended(fork(worker, [], { execArgv: [], ...options }))
    child.send({ ask: 'environment' })
    const [{ title, options: nodeOptions }] = (await once(child, 'message')) as [{ title: string; options?: string }]
    const end = once(child, 'exit')
    child.disconnect()
    await end
    return { title, options: nodeOptions }
  }

  it('reaches a worker from an environment of its own', async () => {
    const env = { NODE_OPTIONS: '--title=given' }
    expect(await alike((side) => environment(side, { env }))).toEqual({ title: 'given', options: '--title=given' })
  })

  it('reaches a worker from the environment of its parent, as it is then', async () => {
    const before = process.env.NODE_OPTIONS
    onTestFinished(() => {
      if (before === undefined) Reflect.deleteProperty(process.env, 'NODE_OPTIONS')
      else process.env.NODE_OPTIONS = before
    })
    process.env.NODE_OPTIONS = '--title=own'
    expect(await alike((side) => environment(side, {}))).toEqual({ title: 'own', options: '--title=own' })
    Reflect.deleteProperty(process.env, 'NODE_OPTIONS')
    expect(await alike((side) => environment(side, {}))).toMatchObject({ options: undefined })
  })
})
