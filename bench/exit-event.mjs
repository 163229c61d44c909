// The exit event: what a check costs, against Python's multiprocessing.Event, and how long it takes until all children have
// left, against a message to each and a signal to each. All in one run, alternating; medians.
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ExitEvent, forkProtected, spawnProtected } from 'sigshield'

const ROUNDS = 5
const READERS = 1000
const WORKERS = 24

const folder = mkdtempSync(join(tmpdir(), 'sigshield-bench-'))
const reader = join(folder, 'reader')
execFileSync('cc', ['-O2', '-o', reader, join(import.meta.dirname, 'reader.c')])
const worker = join(import.meta.dirname, 'exit-event-worker.mjs')

const median = (/** @type {number[]} */ list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN

/** @typedef {import('sigshield').ProtectedProcess} Child */

/** Every way to tell all children to leave: how one is started for it, and how all are told. */
const ways = {
  'exit event': {
    options: (/** @type {ExitEvent} */ exitEvent) => ({ exitEvent }),
    tell: (/** @type {Child[]} */ _children, /** @type {ExitEvent} */ exitEvent) => exitEvent.set(),
  },
  'IPC message to each': {
    options: () => ({}),
    tell: (/** @type {Child[]} */ children) => {
      for (const child of children) child.send('leave')
    },
  },
  'kill in a loop': {
    options: () => ({}),
    tell: (/** @type {Child[]} */ children) => {
      for (const child of children) child.kill('SIGTERM')
    },
  },
}
/** @typedef {keyof typeof ways} Way */
/** @typedef {(way: Way, event: ExitEvent) => Promise<Child>} Start */

async function startReader(/** @type {Way} */ way, /** @type {ExitEvent} */ event) {
  /** @type {any} */
  const stdio = ['ignore', 'pipe', 'inherit', ...(way === 'IPC message to each' ? ['ipc'] : [])]
  const child = spawnProtected(reader, [], { stdio, ...ways[way].options(event) })
  child.stdout?.resume()
  await once(/** @type {any} */ (child.stdout), 'end')
  return child
}

async function startWorker(/** @type {Way} */ way, /** @type {ExitEvent} */ event) {
  const child = forkProtected(worker, ways[way].options(event))
  await once(child, 'message')
  return child
}

/** Milliseconds that telling took the caller, and until the last child had gone. */
async function measure(/** @type {Way} */ way, /** @type {Start} */ start, /** @type {number} */ count) {
  const event = new ExitEvent()
  const children = []
  for (let left = count; left > 0; left -= 50) {
    children.push(...(await Promise.all(Array.from({ length: Math.min(left, 50) }, () => start(way, event)))))
  }
  const gone = Promise.all(children.map((child) => once(child, 'exit')))
  const begin = performance.now()
  ways[way].tell(children, event)
  const told = performance.now() - begin
  await gone
  const all = performance.now() - begin
  event.set()
  return { told, all }
}

async function compare(/** @type {string} */ what, /** @type {Start} */ start, /** @type {number} */ count) {
  const names = /** @type {Way[]} */ (Object.keys(ways))
  const results = new Map(names.map((name) => [name, /** @type {{ told: number, all: number }[]} */ ([])]))
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const name of names) results.get(name)?.push(await measure(name, start, count))
  }
  const rows = names.map((name) => ({
    [what]: name,
    'telling them, ms': median((results.get(name) ?? []).map(({ told }) => told)),
    'until the last exit, ms': median((results.get(name) ?? []).map(({ all }) => all)),
  }))
  const [ours] = rows
  const ratio = (/** @type {string} */ column, /** @type {any} */ row) =>
    Number((row[column] / /** @type {any} */ (ours)[column]).toFixed(1))
  console.table(
    rows.map((row) => ({
      ...row,
      'telling them, ms': Number(row['telling them, ms'].toFixed(3)),
      'until the last exit, ms': Number(row['until the last exit, ms'].toFixed(1)),
      'telling, ratio': ratio('telling them, ms', row),
      'last exit, ratio': ratio('until the last exit, ms', row),
    })),
  )
}

async function checks() {
  const python = `import multiprocessing, timeit
event = multiprocessing.Event()
print(min(timeit.repeat(event.is_set, number=200000, repeat=3)) / 200000 * 1e9)`
  const ours = []
  const pythons = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const event = new ExitEvent()
    const child = await startWorker('exit event', event)
    child.send('check')
    ours.push((await once(child, 'message'))[0])
    event.set()
    await once(child, 'exit')
    pythons.push(Number(execFileSync('python3', ['-c', python], { encoding: 'utf8' })))
  }
  const [a, b] = [median(ours), median(pythons)]
  console.table([
    { 'one check': 'isSet() in a Node worker', ns: Number(a.toFixed(1)), ratio: 1 },
    {
      'one check': "Python's multiprocessing.Event.is_set()",
      ns: Number(b.toFixed(1)),
      ratio: Number((b / a).toFixed(1)),
    },
  ])
}

console.log(`Exit event (medians of ${ROUNDS}), Node ${process.version}`)
await checks()
await compare(`${READERS} readers in C, told by`, startReader, READERS)
await compare(`${WORKERS} Node workers, told by`, startWorker, WORKERS)
rmSync(folder, { recursive: true })
