// The ways to start a child in JavaScript: Node runs all but Bun's own. Answers requests as peers.mjs has them.
import childProcess from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

const Bun = /** @type {any} */ (globalThis).Bun

/** @typedef {'ignore' | 'pipe'} Stdio */
/** @typedef {{ pid: number, exited: Promise<unknown>, closed: Promise<unknown>, kill(): void }} Child */
/** @typedef {(command: string[], stdio: Stdio) => Child} Start */

/** @returns {Start} */
function ofNode(
  /** @type {(file: string, args: string[], options: object) => childProcess.ChildProcess} */ spawn,
  /** @type {string[]} */ prefix = [],
) {
  return (command, stdio) => {
    const [file = '', ...args] = [...prefix, ...command]
    const child = spawn(file, args, { stdio })
    return {
      pid: child.pid ?? 0,
      get exited() {
        return once(child, 'exit')
      },
      get closed() {
        child.stdin?.destroy()
        return once(child, 'close')
      },
      kill: () => child.kill('SIGKILL'),
    }
  }
}

/** @type {Start} */
function ofBun(command, stdio) {
  const child = Bun.spawn(command, { stdio: [stdio, stdio, stdio] })
  return {
    pid: child.pid,
    exited: child.exited,
    get closed() {
      return child.exited
    },
    kill: () => child.kill('SIGKILL'),
  }
}

/** @type {Record<string, Start>} */
const ways = process.versions.bun
  ? { bun: ofBun }
  : {
      child_process: ofNode(childProcess.spawn),
      sigshield: ofNode((await import('sigshield')).spawnProtected),
      env: ofNode(childProcess.spawn, ['env', '--ignore-signal=INT']),
      sh: ofNode(childProcess.spawn, ['sh', '-c', 'trap "" INT; exec "$@"', 'sh']),
      nohup: ofNode(childProcess.spawn, ['nohup']),
    }
const wayOf = (/** @type {string} */ name) => /** @type {Start} */ (ways[name])

/** @type {unknown[]} */
const held = []
const idle = new Set()

/** @type {Record<string, (...args: string[]) => Promise<number[]> | number[]>} */
const requests = {
  hold(gigabytes) {
    for (let i = 0; i < Number(gigabytes) * 8; i += 1) held.push(Buffer.alloc(1 << 27, 1))
    return []
  },

  async block(way, stdio, count) {
    const start = wayOf(way)
    const times = []
    for (let i = 0; i < Number(count); i += 1) {
      const begin = performance.now()
      const child = start(['true'], /** @type {Stdio} */ (stdio))
      times.push((performance.now() - begin) * 1000)
      await child.closed
    }
    return times
  },

  async starts(way, inFlight, count) {
    const start = wayOf(way)
    let left = Number(count)
    const begin = performance.now()
    async function lane() {
      while (left > 0) {
        left -= 1
        await start(['true'], 'ignore').exited
      }
    }
    await Promise.all(Array.from({ length: Number(inFlight) }, lane))
    return [(performance.now() - begin) / 1000]
  },

  idle(way, count) {
    const start = wayOf(way)
    for (let i = 0; i < Number(count); i += 1) idle.add(start(['sleep', 'infinity'], 'ignore'))
    return []
  },

  async exits(way, count) {
    const start = wayOf(way)
    const children = Array.from({ length: Number(count) }, () => start(['sleep', 'infinity'], 'ignore'))
    const begin = process.cpuUsage()
    for (const child of children) {
      const { exited } = child
      child.kill()
      await exited
    }
    const { user, system } = process.cpuUsage(begin)
    return [(user + system) / children.length]
  },

  rss() {
    const collect = globalThis.gc ?? (() => Bun.gc(true))
    collect()
    return [process.memoryUsage.rss()]
  },
}

for await (const line of createInterface({ input: process.stdin })) {
  const [name = '', ...args] = line.split(' ')
  console.log((await requests[name]?.(...args))?.join(' '))
}
for (const child of idle) child.kill()
process.exit()
