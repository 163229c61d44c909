// The machine that a report was measured on, as far as it bears on the numbers.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'
import { quantile } from 'simple-statistics'
import { programs } from './peers.mjs'

function versionOf(/** @type {() => string | undefined} */ find) {
  try {
    const output = execFileSync(find() ?? '', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    return output.split('\n')[0] ?? ''
  } catch {
    return 'absent'
  }
}

/** How unevenly the machine runs: the same work of about a millisecond, many times over. */
function noise() {
  const times = Array.from({ length: 1000 }, () => {
    const begin = performance.now()
    let sum = 0
    for (let i = 0; i < 1_000_000; i += 1) sum += i
    return sum > 0 ? performance.now() - begin : 0
  })
  return quantile(times, 0.99) / quantile(times, 0.5)
}

export function machine() {
  const execa = new URL('../node_modules/execa/package.json', import.meta.url)
  return {
    processor: `${availableParallelism()} × ${cpus()[0]?.model.trim()}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GB`,
    kernel: `${type()} ${release()}`,
    Node: `${process.version} (libuv ${process.versions.uv}, V8 ${process.versions.v8})`,
    Bun: versionOf(() => programs.bun()[0]),
    Python: versionOf(() => 'python3'),
    'C compiler': versionOf(() => 'cc'),
    execa: JSON.parse(readFileSync(execa, 'utf8')).version,
    'load before': loadavg()
      .map((value) => value.toFixed(2))
      .join(' '),
    'noise (p99 of the same work, by its median)': `${noise().toFixed(2)}x`,
    date: new Date().toISOString().slice(0, 10),
  }
}
