// Arguments: options for each start, as JSON, and things. Does these, one after the other, with many descriptors open ("few" as
// the first: without), and prints what came of each, and how its own descriptors have changed by it.
import { once } from 'node:events'
import {
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { Worker } from 'node:worker_threads'
import * as sigshield from 'sigshield'
import { openDescriptors } from '../descriptors.mjs'

const MANY = 1100
const { ExitEvent, spawnSyncProtected } = sigshield
const [probe, json, ...asked] = process.argv.slice(2)
const given = JSON.parse(json)
const spawnProtected = (command, args, options) => sigshield.spawnProtected(command, args, { ...given, ...options })
const forkProtected = (module, args, options) => sigshield.forkProtected(module, args, { ...given, ...options })
const folder = mkdtempSync(join(tmpdir(), 'sigshield-'))
const file = (name) => join(folder, name)

async function end(child) {
  const [code, signal] = await once(child, 'close')
  return signal ?? code
}

async function run(options, command = 'true', args = []) {
  return end(spawnProtected(command, args, { stdio: 'ignore', ...options }))
}

async function probed(options) {
  const ended = await run(options, probe, [file('report')])
  return ended === 0 ? JSON.parse(readFileSync(file('report'), 'utf8')).fds : ended
}

async function numbers(options) {
  const fds = await probed(options)
  return fds.map?.(({ fd }) => fd) ?? fds
}

/** To the child and back, through pipes, until it sees the end of its input. */
async function echoed(message, options) {
  const child = spawnProtected('cat', [], { stdio: ['pipe', 'pipe', 'pipe'], ...options })
  const output = text(child.stdout)
  // A child that is killed reads nothing.
  child.stdin.on('error', () => {})
  child.stdin.end(message)
  const [ended, returned] = await Promise.all([end(child), output])
  return ended === 0 ? returned : ended
}

const failure = async (...args) => {
  try {
    const child = spawnProtected(...args)
    const [{ code, step }] = await once(child, 'error')
    return { code, step }
  } catch ({ code, step }) {
    return { code, step }
  }
}

/** The numbers that are kept for starts: seven copies of one end of a pipe. */
function kept() {
  const byTarget = new Map()
  for (const entry of openDescriptors()) {
    const [fd, target] = entry.split(' ')
    byTarget.set(target, [...(byTarget.get(target) ?? []), Number(fd)])
  }
  return [...byTarget].find(([target, fds]) => target.startsWith('pipe:') && fds.length === 7)?.[1] ?? []
}

const things = {
  ignore: () => numbers({}),
  inherit: () => run({ stdio: 'inherit' }),
  pipes: async () => (await echoed('x'.repeat(200_000))).length,
  numbers: () => numbers({ stdio: ['pipe', 'ignore', 'ignore', 'ignore', 'pipe'] }),
  async 'numbers, where some have been closed since'() {
    const open = openDescriptors().map((entry) => Number(entry.split(' ')[0]))
    const some = open.filter((fd) => fd >= 1000 && fd <= 1024)
    for (const fd of some) closeSync(fd)
    const found = await numbers({})
    // The lowest that are free.
    for (const _ of some) openSync('/dev/null')
    return found
  },
  sync: () => spawnSyncProtected('cat', [], { input: 'told', encoding: 'utf8' }).stdout,
  async event() {
    const exitEvent = new ExitEvent()
    const child = spawnProtected('sh', ['-c', 'echo ready; read -r line <&$SIGSHIELD_EXIT_FD; echo "$line"'], {
      exitEvent,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const output = text(child.stdout)
    await once(child.stdout, 'readable')
    exitEvent.set()
    return [await end(child), await output]
  },
  'numbers with an event': () => numbers({ exitEvent: new ExitEvent() }),
  'numbers, dying with its parent': () => numbers({ parentDeathSignal: true, stdio: 'pipe' }),
  async fork() {
    const worker = join(import.meta.dirname, 'echo-worker.mjs')
    const child = forkProtected(worker, ['ipc'], { silent: true, exitEvent: new ExitEvent() })
    await once(child, 'message')
    child.send('told')
    const [answer] = await once(child, 'message')
    const exit = once(child, 'exit')
    child.disconnect()
    const [code, signal] = await exit
    for (const stream of child.stdio) stream?.destroy()
    return [answer, signal ?? code]
  },
  async 'a file of high number'() {
    const fd = openSync(file('high'), 'w+')
    const ended = await run({ stdio: ['ignore', fd, fd] }, 'sh', ['-c', 'echo out; echo err >&2'])
    closeSync(fd)
    return [fd > MANY, ended, readFileSync(file('high'), 'utf8')]
  },
  async 'a socket of high number'() {
    const server = createServer().listen(file('socket'))
    const client = createConnection(file('socket'))
    const [socket] = await once(server, 'connection')
    const output = text(client)
    const ended = await run({ stdio: ['ignore', socket, 'ignore'] }, 'echo', ['told'])
    const closed = [socket, server].map((open) => once(open, 'close'))
    socket.destroy()
    server.close()
    await Promise.all(closed)
    return [ended, await output]
  },
  'a long list': () =>
    numbers({ stdio: Array.from({ length: 200 }, (_, fd) => (fd % 2 === 0 ? 'pipe' : 'ignore')) }).then(
      (fds) => fds.length ?? fds,
    ),
  async 'enforced as the call returns'() {
    const child = spawnProtected('true', [], { stdio: 'ignore' })
    return [child.enforced, await end(child), child.enforced]
  },
  'no such program': () => failure('/no/such/program', [], { stdio: 'pipe' }),
  'no such folder': () => failure('true', [], { cwd: '/no/such/folder' }),
  async 'a program by its descriptor'() {
    copyFileSync('/bin/true', file('program'))
    const fd = openSync(file('program'), constants.O_RDONLY)
    symlinkSync(`/proc/self/fd/${fd}`, file('link'))
    const ended = [await run({}, `/proc/self/fd/${fd}`), await run({}, file('link'))]
    closeSync(fd)
    rmSync(file('link'))
    return ended
  },
  async 'all kept are closed, and another’s'() {
    const before = kept()
    for (const fd of before) closeSync(fd)
    const mine = before.map((_, i) => openSync(file(`mine-${i}`), 'w+'))
    for (const fd of mine) writeSync(fd, `${fd}`)
    const inodes = mine.map((fd) => fstatSync(fd).ino)
    const echo = await echoed('told')
    const still = mine.every((fd, i) => fstatSync(fd).ino === inodes[i] && fstatSync(fd).size === `${fd}`.length)
    return [before.length, mine.join() === before.join(), echo, await numbers({}), still]
  },
  async 'from worker threads at once'() {
    const code = `import { once } from 'node:events'
      import { text } from 'node:stream/consumers'
      import { parentPort, workerData } from 'node:worker_threads'
      import { spawnProtected } from 'sigshield'
      for (let i = 0; i < 25; i += 1) {
        const child = spawnProtected('cat', [], { stdio: ['pipe', 'pipe', 'ignore'] })
        const output = text(child.stdout)
        child.stdin.end(workerData + i)
        await once(child, 'close')
        if ((await output) !== workerData + i) throw new Error(await output)
      }`
    const workers = ['a', 'b', 'c', 'd'].map((workerData) => new Worker(code, { eval: true, workerData }))
    return Promise.all(workers.map(async (worker) => (await once(worker, 'exit'))[0]))
  },
}

if (asked[0] === 'few') asked.shift()
else {
  // Whatever a process opens once.
  await run({})
  await echoed('')
  new ExitEvent().set()
  for (let i = 0; i < MANY; i += 1) openSync('/dev/null')
}
const results = {}
for (const name of asked) {
  const before = openDescriptors()
  const outcome = await things[name]()
  globalThis.gc?.()
  await new Promise(setImmediate)
  const after = openDescriptors()
  const changed = [
    ...before.filter((entry) => !after.includes(entry)).map((entry) => `-${entry}`),
    ...after.filter((entry) => !before.includes(entry)).map((entry) => `+${entry}`),
  ]
  results[name] = { outcome, changed }
}
rmSync(folder, { recursive: true })
console.log(JSON.stringify(results))
