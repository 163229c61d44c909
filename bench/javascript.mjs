// The ways to start a child in JavaScript: Node runs all but Bun's own. Answers requests as peers.mjs has them.
import childProcess from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { Session } from 'node:inspector'
import { createInterface } from 'node:readline'
import { setImmediate } from 'node:timers/promises'

const Bun = /** @type {any} */ (globalThis).Bun

/**
 * A way to start a child. Nothing but the call itself stands in `start`, which is measured.
 * @typedef {{
 *   start(stdio: 'ignore' | 'pipe'): any,
 *   sleep(): any,
 *   exited(child: any): Promise<unknown>,
 *   closed(child: any): Promise<unknown>,
 * }} Way
 */

/** @returns {Way} */
function ofNode(
  /** @type {(file: string, args: string[], options: object) => childProcess.ChildProcess} */ spawn,
  /** @type {string[]} */ prefix = [],
) {
  const command = (/** @type {string[]} */ ...words) => {
    const [file = '', ...args] = [...prefix, ...words]
    return { file, args }
  }
  const { file, args } = command('true')
  const sleep = command('sleep', 'infinity')
  return {
    start: (stdio) => spawn(file, args, { stdio }),
    sleep: () => spawn(sleep.file, sleep.args, { stdio: 'ignore' }),
    exited: (child) => once(child, 'exit'),
    closed(child) {
      child.stdin?.destroy()
      return once(child, 'close')
    },
  }
}

/** @returns {Way} */
function ofBun() {
  return {
    start: (stdio) => Bun.spawn(['true'], { stdio: [stdio, stdio, stdio] }),
    sleep: () => Bun.spawn(['sleep', 'infinity'], { stdio: ['ignore', 'ignore', 'ignore'] }),
    exited: (child) => child.exited,
    closed: (child) => child.exited,
  }
}

/** @type {Record<string, Way>} */
const ways = process.versions.bun ? { bun: ofBun() } : await waysOfNode()

async function waysOfNode() {
  const { spawnProtected } = await import('sigshield')
  return {
    child_process: ofNode(childProcess.spawn),
    newChildProcess: ofNode(childProcess.spawn),
    sigshield: ofNode(spawnProtected),
    unwaited: ofNode((file, args, options) => spawnProtected(file, args, { ...options, waitForExec: false })),
    unenforced: ofNode((file, args, options) => spawnProtected(file, args, { ...options, enforce: false })),
    env: ofNode(childProcess.spawn, ['env', '--ignore-signal=INT']),
    sh: ofNode(childProcess.spawn, ['sh', '-c', 'trap "" INT; exec "$@"', 'sh']),
    nohup: ofNode(childProcess.spawn, ['nohup']),
  }
}
const wayOf = (/** @type {string} */ name) => /** @type {Way} */ (ways[name])

/** @type {unknown[]} */
const held = []
const idle = new Set()

/** @type {Record<string, (...args: string[]) => Promise<number[]> | number[]>} */
const requests = {
  hold(gigabytes) {
    for (let i = 0; i < Number(gigabytes) * 8; i += 1) held.push(Buffer.alloc(1 << 27, 1))
    return []
  },

  open(count) {
    for (let i = 0; i < Number(count); i += 1) openSync('/dev/null', 'r')
    return []
  },

  async block(name, stdio, count) {
    const way = wayOf(name)
    const times = []
    for (let i = 0; i < Number(count); i += 1) {
      const begin = performance.now()
      const child = way.start(/** @type {'ignore' | 'pipe'} */ (stdio))
      times.push((performance.now() - begin) * 1000)
      await way.closed(child)
    }
    return times
  },

  async starts(name, inFlight, count) {
    const way = wayOf(name)
    let left = Number(count)
    const begin = performance.now()
    async function lane() {
      while (left > 0) {
        left -= 1
        await way.exited(way.start('ignore'))
      }
    }
    await Promise.all(Array.from({ length: Number(inFlight) }, lane))
    return [(performance.now() - begin) / 1000]
  },

  idle(name, count) {
    const way = wayOf(name)
    for (let i = 0; i < Number(count); i += 1) idle.add(way.sleep())
    return []
  },

  async exits(name, count) {
    const way = wayOf(name)
    const children = Array.from({ length: Number(count) }, () => way.sleep())
    const begin = process.cpuUsage()
    for (const child of children) {
      const exited = way.exited(child)
      child.kill('SIGKILL')
      await exited
    }
    const { user, system } = process.cpuUsage(begin)
    return [(user + system) / children.length]
  },

  async rss() {
    const session = new Session()
    session.connect()
    // Asks V8 to give back all it can: it keeps more free memory for itself than the children need. What one collection
    // finds to be free the next gives back.
    for (let i = 0; i < 4; i += 1) {
      session.post('HeapProfiler.collectGarbage')
      await setImmediate()
    }
    session.disconnect()
    return [process.memoryUsage.rss()]
  },
}

/** The idle ones ignore a Ctrl-C. */
function leave() {
  for (const child of idle) child.kill('SIGKILL')
  process.exit()
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, leave)

for await (const line of createInterface({ input: process.stdin })) {
  const [name = '', ...args] = line.split(' ')
  console.log((await requests[name]?.(...args))?.join(' '))
}
leave()
