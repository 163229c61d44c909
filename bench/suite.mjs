// All benchmarks, a question each, in the order of the report.
import { Clock } from './clock.mjs'
import { machine } from './machine.mjs'

// One question ends in a minute, all of them in five.
const QUESTION_MS = 50_000
const ALL_MS = 270_000

export const benchmarks = [
  'blocked-loop',
  'many-descriptors',
  'starts',
  'paths',
  'exit-cost',
  'exit-event',
  'worker-start',
  'command-start',
  'import-cost',
  'filter-cost',
  'memory',
]

/**
 * @typedef {import('./result.mjs').Told & { benchmark: string }} Told
 * @typedef {{ machine: ReturnType<typeof machine>, results: Told[] }} Measured
 */

/** Runs these benchmarks one after the other, and hands each result on when it is there. */
export async function measure(/** @type {string[]} */ names, /** @type {(told: Told) => void} */ onResult = () => {}) {
  /** @type {Measured} */
  const measured = { machine: machine(), results: [] }
  for (const name of names) {
    const { default: run } = await import(`./${name}.mjs`)
    const clock = new Clock(name, Math.min(QUESTION_MS, ALL_MS / names.length))
    const found = /** @type {import('./result.mjs').Result[]} */ (await run(clock))
    clock.over()
    for (const result of found) {
      const told = { benchmark: name, ...result.tell() }
      measured.results.push(told)
      onResult(told)
    }
  }
  return measured
}
