// How long one call holds the event loop: spawnProtected against child_process.spawn, alternating in one run, by the memory
// that the parent has in use and by stdio. Prints medians in µs and their ratio.
import childProcess from 'node:child_process'
import { once } from 'node:events'
import { performance } from 'node:perf_hooks'
import { spawnProtected } from 'sigshield'

// In turns of a few, whose first is not counted: a fork leaves the parent's pages write-protected, and who comes next pays.
const TURNS = 40
const TURN_LENGTH = 11

/** @type {Record<string, (command: string, args: string[], options: object) => import('node:child_process').ChildProcess>} */
const peers = { child_process: childProcess.spawn, sigshield: spawnProtected }

/** Pages that are written to, as a parent that works has them: what fork copies page tables for. */
function ballast(/** @type {number} */ gigabytes) {
  return Array.from({ length: gigabytes * 8 }, () => Buffer.alloc(1 << 27, 1))
}

function quantile(/** @type {number[]} */ sorted, /** @type {number} */ q) {
  return sorted[Math.floor((sorted.length - 1) * q)] ?? Number.NaN
}

async function measure(/** @type {string} */ stdio) {
  /** @type {Record<string, number[]>} */
  const times = Object.fromEntries(Object.keys(peers).map((name) => [name, []]))
  for (let turn = 0; turn < TURNS; turn += 1) {
    for (const [name, spawn] of Object.entries(peers)) {
      for (let i = 0; i < TURN_LENGTH; i += 1) {
        const start = performance.now()
        const child = spawn('true', [], { stdio })
        const microseconds = (performance.now() - start) * 1000
        if (i > 0) times[name]?.push(microseconds)
        await once(child, 'close')
      }
    }
  }
  return Object.fromEntries(Object.entries(times).map(([name, list]) => [name, list.sort((a, b) => a - b)]))
}

const rows = []
for (const gigabytes of [0, 1]) {
  const held = ballast(gigabytes)
  for (const stdio of ['ignore', 'pipe']) {
    const { child_process: node = [], sigshield: ours = [] } = await measure(stdio)
    rows.push({
      'parent memory': `+${held.length / 8} GB`,
      stdio,
      'child_process µs': Math.round(quantile(node, 0.5)),
      'sigshield µs': Math.round(quantile(ours, 0.5)),
      'sigshield p10-p90 µs': `${Math.round(quantile(ours, 0.1))}-${Math.round(quantile(ours, 0.9))}`,
      ratio: Number((quantile(node, 0.5) / quantile(ours, 0.5)).toFixed(1)),
    })
  }
}
console.log(`Event loop blocked by one start (median of ${TURNS * (TURN_LENGTH - 1)}), Node ${process.version}`)
console.table(rows)
