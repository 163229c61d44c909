/** The channel of a worker: the same calls over a child of child_process and over ours. */
import childProcess, { type ChildProcess, type ForkOptions, type SpawnOptions } from 'node:child_process'
import dgram from 'node:dgram'
import { once } from 'node:events'
import net, { type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { forkProtected, spawnProtected } from 'sigshield'
import { describe, expect, it, onTestFinished } from 'vitest'
import { closed, ended, isAlive, until } from '../support/processes.js'

const worker = join(import.meta.dirname, '../support/node/ipc-worker.mjs')
const forkingParent = join(import.meta.dirname, '../support/node/forking-parent.mjs')

type Fork = (modulePath: string, args: string[], options: ForkOptions) => ChildProcess
type Spawn = (command: string, args: string[], options: SpawnOptions) => ChildProcess

const sides: [side: string, fork: Fork, spawn: Spawn][] = [
  ['child_process', childProcess.fork, childProcess.spawn],
  ['sigshield', forkProtected, spawnProtected],
]

/** The same observation on both sides. */
async function alike(observe: (fork: Fork, spawn: Spawn) => Promise<unknown>): Promise<void> {
  const [node, ours] = [
    await observe(childProcess.fork, childProcess.spawn),
    await observe(forkProtected, spawnProtected),
  ]
  expect(ours).toEqual(node)
}

const quiet: ForkOptions = { execArgv: [], stdio: ['ignore', 'pipe', 'inherit', 'ipc'] }

async function ask(child: ChildProcess, message: object, handle?: childProcess.SendHandle): Promise<unknown> {
  const answer = once(child, 'message')
  child.send(message, handle)
  return (await answer)[0]
}

/** A child whose parent disconnects has no 'close' event on some versions of Node. */
async function finish(child: ChildProcess): Promise<void> {
  const end = once(child, 'exit')
  child.disconnect()
  expect(await end).toEqual([0, null])
}

describe.each(sides)('%s', (_side, fork, spawn) => {
  it('carries messages both ways, in order', async () => {
    const child = ended(fork(worker, [], quiet))
    const messages = ['text', 1, true, null, { a: [1, { b: null }] }, '', 'ünï\u0000\n"']
    const received: unknown[] = []
    const all = new Promise<void>((resolve) => {
      child.on('message', (message) => {
        received.push(message)
        if (received.length === messages.length) resolve()
      })
    })
    for (const message of messages) child.send(message as string)
    await all
    expect(received).toEqual(messages)
    await finish(child)
  })

  it("carries what JSON can say with serialization 'json'", async () => {
    const child = ended(fork(worker, [], { ...quiet, serialization: 'json' }))
    const value = { date: new Date(0), buffer: Buffer.from('b'), map: new Map([[1, 2]]) }
    expect(await ask(child, { ask: 'kinds', value })).toEqual({ date: 'String', buffer: 'Object', map: 'Object' })
    const circular: Record<string, unknown> = {}
    circular.self = circular
    expect(() => child.send(circular)).toThrow(/circular/)
    await finish(child)
  })

  it("carries what structured clone can with serialization 'advanced'", async () => {
    const child = ended(fork(worker, [], { ...quiet, serialization: 'advanced' }))
    const value: Record<string, unknown> = {
      map: new Map([['key', new Set([1])]]),
      big: 2n ** 70n,
      date: new Date(0),
      buffer: Buffer.from('bytes'),
      error: new RangeError('far'),
      regexp: /x/g,
      floats: new Float64Array([0.5, Number.NaN]),
    }
    expect(await ask(child, { ask: 'kinds', value })).toEqual({
      map: 'Map',
      big: 'BigInt',
      date: 'Date',
      buffer: 'Buffer',
      error: 'RangeError',
      regexp: 'RegExp',
      floats: 'Float64Array',
    })
    value.self = value
    const echo = (await ask(child, value)) as typeof value
    expect(echo).toEqual(value)
    expect(echo.self).toBe(echo)
    await finish(child)
  })

  it.each(['json', 'advanced'] as const)('carries messages of 8 MB both ways (%s)', async (serialization) => {
    const size = 8 * 1024 * 1024
    const child = ended(fork(worker, [], { ...quiet, serialization }))
    expect(await ask(child, { ask: 'size', text: 'y'.repeat(size) })).toBe(size)
    expect(await ask(child, { ask: 'large', size })).toBe('x'.repeat(size))
    const both = `${'ab'.repeat(size / 2)}!`
    expect((await ask(child, { echo: both })) as object).toEqual({ echo: both })
    await finish(child)
  })

  it('disconnects from the parent', async () => {
    const child = ended(fork(worker, [], quiet))
    expect(child.connected).toBe(true)
    await ask(child, { ask: 'report disconnect' })
    const output = text(child.stdout as NodeJS.ReadableStream)
    const end = once(child, 'exit')
    const disconnected = once(child, 'disconnect')
    child.disconnect()
    expect(child.connected).toBe(false)
    await disconnected
    expect(child.channel).toBeNull()
    expect(await end).toEqual([0, null])
    expect(JSON.parse(await output)).toEqual({ connected: false })
    const error = once(child, 'error')
    child.disconnect()
    expect(await error).toMatchObject([{ code: 'ERR_IPC_DISCONNECTED' }])
  })

  it('disconnects from the child', async () => {
    const child = ended(fork(worker, [], quiet))
    const output = text(child.stdout as NodeJS.ReadableStream)
    const end = closed(child)
    const disconnected = once(child, 'disconnect')
    child.send({ ask: 'disconnect' })
    await disconnected
    expect(child.connected).toBe(false)
    expect(await end).toEqual({ code: 0, signal: null })
    expect(JSON.parse(await output)).toMatchObject({ connected: false, code: 'ERR_IPC_CHANNEL_CLOSED' })
  })

  it('disconnects when the child is killed', async () => {
    const child = ended(fork(worker, [], quiet))
    await ask(child, { hello: 1 })
    const all = Promise.all([once(child, 'disconnect'), closed(child)])
    child.kill('SIGKILL')
    expect((await all)[1]).toEqual({ code: null, signal: 'SIGKILL' })
    expect(child.connected).toBe(false)
  })

  it('send() fails after disconnect, by its callback or else by an event', async () => {
    const child = ended(fork(worker, [], quiet))
    // Not by once(), which an 'error' event would end.
    const end = new Promise((resolve) => child.once('exit', (...exit) => resolve(exit)))
    child.disconnect()
    const closedError = { code: 'ERR_IPC_CHANNEL_CLOSED', message: 'Channel closed' }
    let returned: boolean | undefined
    const error = await new Promise((resolve) => {
      returned = child.send('late', resolve)
    })
    expect(returned).toBe(false)
    expect(error).toMatchObject(closedError)
    const event = once(child, 'error')
    expect(child.send('late')).toBe(false)
    expect(await event).toMatchObject([closedError])
    expect(await end).toEqual([0, null])
  })

  it('gives a TCP connection to the worker, which answers on it', async () => {
    const child = ended(fork(worker, [], quiet))
    const { client, socket } = await connection()
    child.send({ ask: 'answer on the socket' }, socket)
    expect(await text(client)).toBe(`worker ${child.pid}`)
    await finish(child)
  })

  it("gives a TCP connection with serialization 'advanced'", async () => {
    const child = ended(fork(worker, [], { ...quiet, serialization: 'advanced' }))
    const { client, socket } = await connection()
    child.send({ ask: 'answer on the socket' }, socket)
    expect(await text(client)).toBe(`worker ${child.pid}`)
    await finish(child)
  })

  it('keeps its own end of a connection with keepOpen, and not without', async () => {
    const child = ended(fork(worker, [], quiet))
    const kept = await connection()
    const written = once(child, 'message')
    child.send({ ask: 'write on the socket' }, kept.socket, { keepOpen: true })
    expect(await written).toEqual(['written', undefined])
    kept.socket.end('parent')
    expect(await text(kept.client)).toBe('worker parent')
    kept.socket.destroy()

    const given = await connection()
    const again = once(child, 'message')
    child.send({ ask: 'write on the socket' }, given.socket)
    expect(await again).toEqual(['written', undefined])
    // The worker has closed its end too, so the connection is over.
    expect(await text(given.client)).toBe('worker ')
    await finish(child)
  })

  it('gives a listening server to the worker', async () => {
    const child = ended(fork(worker, [], quiet))
    const server = await listening()
    expect(await ask(child, { ask: 'serve' }, server)).toBe('serving')
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    // Only the worker listens now.
    expect(await text(net.connect(port, '127.0.0.1'))).toBe(`worker ${child.pid}`)
    await finish(child)
  })

  it('gives a UDP socket to the worker', async () => {
    const child = ended(fork(worker, [], quiet))
    const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const { port } = socket.address()
    expect(await ask(child, { ask: 'answer datagrams' }, socket)).toBe('serving')
    await once(socket.close(), 'close')
    const client = dgram.createSocket('udp4').bind(0, '127.0.0.1')
    await once(client, 'listening')
    const answer = once(client, 'message')
    client.send('question', port, '127.0.0.1')
    expect(String((await answer)[0])).toBe(`worker ${child.pid} got question`)
    await Promise.all([once(client.close(), 'close'), finish(child)])
  })

  it('a handle that is on its way when the parent disconnects still arrives', async () => {
    const child = ended(fork(worker, [], quiet))
    // A worker that is still loading would lose it.
    await ask(child, { hello: 1 })
    const first = await connection()
    const second = await connection()
    const end = once(child, 'exit')
    child.send({ ask: 'answer on the socket' }, first.socket)
    // Waits until the first is acknowledged, and the disconnect for both.
    child.send({ ask: 'answer on the socket' }, second.socket)
    const disconnected = once(child, 'disconnect')
    child.disconnect()
    expect(child.connected).toBe(false)
    expect(await Promise.all([text(first.client), text(second.client)])).toEqual(Array(2).fill(`worker ${child.pid}`))
    await disconnected
    expect(await end).toEqual([0, null])
  })

  it.each([
    ['at 3 of a child without stdio', ['ignore', 'ignore', 'ignore', 'ipc'], '3'],
    ['between others', ['ignore', 'ipc', 'inherit', 'pipe'], '1'],
    ['behind others', ['ignore', 'pipe', 'inherit', 'ignore', 'pipe', 'ipc'], '5'],
  ] as const)('a channel %s is found by a Node child of spawn', async (_where, stdio, fd) => {
    const child = ended(spawn(process.execPath, [worker], { stdio: [...stdio] }))
    expect(child.connected).toBe(true)
    expect(await ask(child, { ask: 'environment' })).toMatchObject({ fd, mode: 'json', left: [] })
    expect(await ask(child, { hello: 'world' })).toEqual({ hello: 'world' })
    await finish(child)
  })

  it('a channel at another place is found by a worker of fork', async () => {
    const stdio: SpawnOptions['stdio'] = ['ignore', 'ignore', 'inherit', 'ignore', 'ipc']
    const child = ended(fork(worker, [], { execArgv: [], stdio, serialization: 'advanced', env: { A: '1' } }))
    expect(await ask(child, { ask: 'environment' })).toMatchObject({ fd: '4', mode: 'advanced', left: [] })
    await finish(child)
  })

  it.each([
    ['its own environment', undefined],
    ['another', { PATH: process.env.PATH }],
  ])('a program that is not Node finds the channel in %s, and talks on it', async (_which, env) => {
    const script = 'echo "{\\"fd\\":$NODE_CHANNEL_FD}" >&$NODE_CHANNEL_FD; read -r line <&4; echo "$line" >&4'
    const options = { stdio: ['ignore', 'ignore', 'inherit', 'pipe', 'ipc'], ...(env && { env }) } as SpawnOptions
    const child = ended(spawn('bash', ['-c', script], options))
    const all = Promise.all([closed(child), once(child, 'disconnect')])
    expect(await once(child, 'message')).toEqual([{ fd: 4 }, undefined])
    const echo = once(child, 'message')
    child.send({ line: 'by hand' })
    expect(await echo).toEqual([{ line: 'by hand' }, undefined])
    expect((await all)[0]).toEqual({ code: 0, signal: null })
  })

  it.each([
    ['unref both', []],
    ['unref the process', ['message', 'disconnect']],
    ['unref the channel', ['message', 'disconnect', 'exit']],
    ['ref the channel again', ['message', 'disconnect']],
    ['disconnect', ['disconnect']],
  ])('the loop of a parent ends as it should: %s', async (way, events) => {
    const parent = ended(
      childProcess.spawn(process.execPath, [forkingParent, _side, way], { stdio: ['ignore', 'pipe', 'inherit'] }),
    )
    const output = text(parent.stdout as NodeJS.ReadableStream)
    expect(await closed(parent)).toEqual({ code: 0, signal: null })
    const seen = JSON.parse(await output)
    expect(seen.events).toEqual(events)
    await until(() => !isAlive(seen.pid), 'the worker leaves when its channel is closed')
  })
})

it('ends its life with the events of child_process when the parent disconnects', async () => {
  await alike(async (fork) => {
    const child = ended(fork(worker, [], quiet))
    const events: string[] = []
    for (const event of ['spawn', 'disconnect', 'exit', 'close']) child.on(event, () => events.push(event))
    await ask(child, { hello: 1 })
    const end = [once(child, 'exit'), once(child.stdout as NodeJS.ReadableStream, 'close')]
    child.disconnect()
    await Promise.all(end)
    // What comes with the end of the last stream has come by then.
    await new Promise(setImmediate)
    return events
  })
})

it('send() tells of backpressure as with child_process', async () => {
  await alike(async (_fork, spawn) => {
    // It never reads, so what the channel holds is the system's buffer.
    const child = ended(spawn('sleep', ['1000'], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] }))
    const failures: (string | undefined)[] = []
    const sends = Array.from({ length: 20 }, (_, i) => {
      let flowing = false
      const called = new Promise<void>((resolve) => {
        flowing = child.send({ i, text: 'x'.repeat(64 * 1024) }, (error) => {
          failures[i] = (error as NodeJS.ErrnoException | null)?.code
          resolve()
        })
      })
      return { flowing, called }
    })
    expect(sends[0]?.flowing).toBe(true)
    expect(sends.at(-1)?.flowing).toBe(false)
    const end = Promise.all([closed(child), once(child, 'disconnect')])
    child.kill('SIGKILL')
    await end
    await Promise.all(sends.map(({ called }) => called))
    return { flowing: sends.map(({ flowing }) => flowing), failures }
  })
})

it.each([
  ['no message', []],
  ['a function', [() => {}]],
  ['a handle that is none', ['message', {}]],
  ['options that are none', ['message', undefined, 'options']],
] as [string, Parameters<ChildProcess['send']>][])(
  'send() refuses %s as with child_process',
  async (_what, message) => {
    await alike(async (fork) => {
      const child = ended(fork(worker, [], quiet))
      let thrown: unknown
      try {
        child.send(...message)
      } catch (error) {
        thrown = error
      }
      expect(thrown).toBeInstanceOf(TypeError)
      await finish(child)
      const { code, text } = { ...(thrown as NodeJS.ErrnoException), text: (thrown as Error).message }
      return { code, text }
    })
  },
)

it('the channel and its members are those of child_process', async () => {
  await alike(async (fork) => {
    const child = ended(fork(worker, [], quiet))
    const { channel, connected } = child
    const seen = {
      connected,
      channel: channel?.constructor.name,
      fd: typeof (channel as unknown as { fd: number }).fd,
      members: ['send', 'disconnect', '_send', '_disconnect'].map((name) => typeof Reflect.get(child, name)),
      stdio: child.stdio.map((stream) => stream?.constructor.name),
    }
    await finish(child)
    return { ...seen, after: { channel: child.channel, connected: child.connected } }
  })
})

async function listening(): Promise<net.Server> {
  const server = net.createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
  })
  return server
}

interface Connection {
  readonly client: Socket
  /** The server's side of the connection, for a worker. */
  readonly socket: Socket
}

async function connection(): Promise<Connection> {
  const server = await listening()
  const accepted = once(server, 'connection')
  const client = net.connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [socket] = (await accepted) as [Socket]
  server.close()
  return { client, socket }
}
