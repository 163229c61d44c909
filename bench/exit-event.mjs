// The exit event: what a check costs, and how long it takes until all children have left, against the other ways to tell them.
import { execFileSync } from 'node:child_process'
import { once, setMaxListeners } from 'node:events'
import { join } from 'node:path'
import { execa } from 'execa'
import { ExitEvent, forkProtected, spawnProtected } from 'sigshield'
import { compiled } from './peers.mjs'
import { Result } from './result.mjs'

const ROUNDS = 7
const AT_ONCE = 50
// As many as there is time for.
const READERS = { least: 100, most: 1000 }
const WORKERS = { least: 8, most: 24 }

const place = (/** @type {string} */ name) => join(import.meta.dirname, name)
const python = (/** @type {string | number} */ argument) =>
  Number(execFileSync('python3', [place('exit-event-python.py'), String(argument)], { encoding: 'utf8' }))

/**
 * Children that can be told together to leave.
 * @typedef {{ start(): Promise<{ gone: Promise<unknown> }>, tell(): void }} Crew
 * @typedef {import('sigshield').ProtectedProcess} Child
 */

/** @type {Record<string, (start: (options: object) => Promise<Child>) => Crew>} */
const crews = {
  'exit event': (start) => {
    const exitEvent = new ExitEvent()
    return { start: async () => ({ gone: once(await start({ exitEvent }), 'exit') }), tell: () => exitEvent.set() }
  },
  'IPC message to each': (start) => each(start, { ipc: true }, (child) => child.send('leave')),
  'SIGTERM to each': (start) => each(start, {}, (child) => child.kill('SIGTERM')),
}

/** @returns {Crew} */
function each(
  /** @type {(options: object) => Promise<Child>} */ start,
  /** @type {object} */ options,
  /** @type {(child: Child) => void} */ tell,
) {
  /** @type {Child[]} */
  const children = []
  return {
    async start() {
      const child = await start(options)
      children.push(child)
      return { gone: once(child, 'exit') }
    },
    tell: () => children.forEach(tell),
  }
}

/** @returns {Crew} */
function execaCrew() {
  const cancel = new AbortController()
  setMaxListeners(0, cancel.signal)
  return {
    async start() {
      const options = /** @type {const} */ ({
        node: true,
        ipc: true,
        stdio: 'ignore',
        cancelSignal: cancel.signal,
        gracefulCancel: true,
      })
      const child = execa(place('exit-event-worker.mjs'), ['execa'], options)
      const gone = once(child, 'exit')
      child.catch((error) => {
        if (!error.isGracefullyCanceled) throw error
      })
      await child.getOneMessage()
      return { gone }
    },
    tell: () => cancel.abort(),
  }
}

/** Milliseconds from the telling until the last child had gone. */
async function measure(/** @type {Crew} */ crew, /** @type {number} */ count) {
  const children = []
  for (let left = count; left > 0; left -= AT_ONCE) {
    children.push(...(await Promise.all(Array.from({ length: Math.min(left, AT_ONCE) }, () => crew.start()))))
  }
  const gone = Promise.all(children.map((child) => child.gone))
  const begin = performance.now()
  crew.tell()
  await gone
  return performance.now() - begin
}

const reader = compiled('exit-event-reader.c')
async function startReader(/** @type {{ ipc?: boolean, exitEvent?: ExitEvent }} */ { ipc, ...options }) {
  const child = spawnProtected(reader, [], {
    .../** @type {any} */ (options),
    stdio: ['ignore', 'pipe', 'inherit', ...(ipc ? /** @type {const} */ (['ipc']) : [])],
  })
  const stdout = /** @type {import('node:stream').Readable} */ (child.stdout)
  stdout.resume()
  await once(stdout, 'end')
  return child
}

async function startWorker(/** @type {{ ipc?: boolean, exitEvent?: ExitEvent }} */ { ipc: _, ...options }) {
  const child = forkProtected(place('exit-event-worker.mjs'), /** @type {any} */ (options))
  await once(child, 'message')
  return child
}

export default async function exitEvent(/** @type {import('./clock.mjs').Clock} */ clock) {
  const check = new Result({
    question: 'What does one check of the event cost a child?',
    unit: 'ns',
    better: 'lower',
    ours: 'isSet() in a Node worker',
  })
  const leaving = new Result({
    question: 'How long does it take until the last child has gone?',
    unit: 'ms',
    better: 'lower',
    ours: 'exit event',
    plot: { facet: 'children' },
  })
  const add = (/** @type {string} */ children, /** @type {string} */ peer, /** @type {number} */ milliseconds) =>
    leaving.add({ children }, peer, milliseconds)
  /** Each kind has half of a turn, and four crews. */
  async function sizeOf(
    /** @type {(options: object) => Promise<Child>} */ start,
    /** @type {number} */ first,
    /** @type {{ least: number, most: number }} */ bounds,
  ) {
    const begin = performance.now()
    await measure(/** @type {Crew} */ (crews['exit event']?.(start)), first)
    return clock.countPerTurn((performance.now() - begin) / first, { parts: 2 * 4, ...bounds })
  }
  const readerCount = Math.floor((await sizeOf(startReader, AT_ONCE, READERS)) / 100) * 100
  const workerCount = await sizeOf(startWorker, 8, WORKERS)
  for (const _ of clock.turns(ROUNDS)) {
    const event = new ExitEvent()
    const worker = await startWorker({ exitEvent: event })
    worker.send('check')
    check.add({}, 'isSet() in a Node worker', (await once(worker, 'message'))[0])
    event.set()
    await once(worker, 'exit')
    check.add({}, "Python's multiprocessing.Event.is_set()", python('check'))

    const readers = `${readerCount} programs in C, or Python`
    for (const [name, crew] of Object.entries(crews)) add(readers, name, await measure(crew(startReader), readerCount))
    add(readers, "Python's multiprocessing.Event", python(readerCount))

    const workers = `${workerCount} Node workers`
    for (const [name, crew] of Object.entries(crews)) add(workers, name, await measure(crew(startWorker), workerCount))
    add(workers, "execa's gracefulCancel", await measure(execaCrew(), workerCount))
  }
  leaving.note("Python's children are forks of a Python parent. execa's gracefulCancel reaches Node children only.")
  leaving.note(
    'SIGTERM to each kills at once: nobody cleans up. A worker that leaves by the event has run its handlers.',
  )
  return [check, leaving]
}
