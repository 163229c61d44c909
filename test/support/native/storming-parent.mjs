// Does one thing to many children at once, and reports what became of them.
import { once } from 'node:events'
import { closeSync, open, readdirSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import { ExitEvent, spawnProtected } from 'sigshield'
import { childrenOf } from '../process-table.mjs'

const [what, countText, extra] = process.argv.slice(2)
const count = Number(countText)
const quiet = { stdio: 'ignore', ignore: [] }
const end = (child) => once(child, 'exit').then((exit) => exit.join())
const census = () => ({ descriptors: readdirSync('/dev/fd').length, children: childrenOf(process.pid).length })

/** How many there are of each. */
function tally(ends) {
  const counts = {}
  for (const each of ends) counts[each] = (counts[each] ?? 0) + 1
  return counts
}

async function someAtATime(start) {
  const ends = []
  let left = count
  const line = async () => {
    while (left > 0) {
      left -= 1
      ends.push(await start(left))
    }
  }
  await Promise.all(Array.from({ length: 8 }, line))
  return tally(ends)
}

const plain = () => end(spawnProtected('true', quiet))

const things = {
  /** All end in one turn of the loop. */
  async exits() {
    const children = Array.from({ length: count }, () => spawnProtected('sleep', ['1000'], quiet))
    const ends = children.map(end)
    for (const child of children) process.kill(child.pid, 'SIGKILL')
    return tally(await Promise.all(ends))
  },
  async threads() {
    const code = `import { parentPort } from 'node:worker_threads'
      import { once } from 'node:events'
      const { spawnProtected } = await import(${JSON.stringify(import.meta.resolve('sigshield'))})
      const ends = []
      for (let i = 0; i < ${count}; i += 1) {
        ends.push((await once(spawnProtected('true', { stdio: 'ignore' }), 'exit')).join())
      }
      parentPort.postMessage(ends)`
    const workers = Array.from({ length: 8 }, () => new Worker(code, { eval: true }))
    const closed = workers.map((worker) => once(worker, 'exit'))
    const own = someAtATime(plain)
    const ends = await Promise.all(workers.map((worker) => once(worker, 'message').then(([all]) => all)))
    await Promise.all(closed)
    return tally([...ends.flat(), ...Object.entries(await own).flatMap(([key, n]) => Array(n).fill(key))])
  },
  /** Every thread of libuv's pool waits for somebody who writes. */
  async threadpool() {
    for (let i = 0; i < 4; i += 1) open(extra, 'r', (_, fd) => closeSync(fd))
    const ends = await someAtATime(plain)
    // One that writes wakes them all.
    await once(spawnProtected('sh', ['-c', 'exec > "$0"', extra], quiet), 'exit')
    return ends
  },
  /** The program's own listener, which is libuv's handler too. */
  async sigchld() {
    let heard = 0
    process.on('SIGCHLD', () => {
      heard += 1
    })
    const ends = await someAtATime(plain)
    process.removeAllListeners('SIGCHLD')
    return { ...ends, heard: heard > 0 }
  },
  /** The kernel reaps: nobody can say how they ended, but that they did. */
  async sigchldIgnored() {
    createRequire(import.meta.url)(extra)
    return someAtATime(plain)
  },
  async mixed() {
    const exitEvent = new ExitEvent()
    const kinds = [
      () => plain(),
      () => end(spawnProtected('echo', ['x'], { stdio: 'pipe' })),
      () => end(spawnProtected('sh', ['-c', 'exit 3'], { ...quiet, processGroup: true, exitEvent })),
      () => end(spawnProtected('true', { ...quiet, env: { A: 'a' }, enforce: true, cwd: '/' })),
      () =>
        spawnProtected('sleep', ['1000'], quiet)
          .stop()
          .then(({ signal }) => `,${signal}`),
      () => once(spawnProtected('sigshield-no-such-command', quiet), 'error').then(([{ code }]) => code),
    ]
    const ends = await someAtATime((i) => kinds[i % kinds.length]())
    // A child that ended while another was between its memory and its program is looked at when the next one ends.
    exitEvent.set()
    return ends
  },
  /** Until somebody kills it. */
  async forEver() {
    for (;;) {
      spawnProtected('sleep', ['1000', '0', extra], { ...quiet, parentDeathSignal: true })
      writeSync(1, '.')
      if (childrenOf(process.pid).length > 50) await new Promise(() => setInterval(() => {}, 1000))
    }
  },
  /** It ends itself between any two of its steps. */
  async exitAmid() {
    const others = setInterval(() =>
      spawnProtected('sleep', ['1000', '0', extra], { ...quiet, parentDeathSignal: true }),
    )
    for (let i = 0; i < count; i += 1) {
      spawnProtected('sleep', ['1000', '0', extra], { ...quiet, parentDeathSignal: true })
      const exiting = spawnProtected('true', quiet)
      if (i === count - 1) exiting.once(i % 2 ? 'spawn' : 'exit', () => process.exit(7))
    }
    void others
    await new Promise(() => {})
  },
}
// What Node and the addon open once is open now.
await once(spawnProtected('echo', ['x']), 'close')
const before = census()
const ends = await things[what]()
while (JSON.stringify(census()) !== JSON.stringify(before) && what !== 'threads') await new Promise(setImmediate)
console.log(JSON.stringify(ends))
