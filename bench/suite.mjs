// All benchmarks, a question each, in the order of the report.
import { Clock } from './clock.mjs'
import { machine } from './machine.mjs'

// One question ends in a minute, all of them in five.
const QUESTION_MS = 50_000
const ALL_MS = 270_000

/**
 * By how much there is to measure: their parts of the time of all.
 * @type {Record<string, number>}
 */
const weights = {
  'blocked-loop': 7,
  'many-descriptors': 3,
  starts: 5,
  paths: 1,
  'exit-cost': 3,
  'exit-event': 4,
  'worker-start': 1,
  'command-start': 1,
  'import-cost': 1,
  'filter-cost': 2,
  memory: 4,
}

export const benchmarks = Object.keys(weights)
const weightOf = (/** @type {string} */ name) => weights[name] ?? 1

/**
 * @typedef {import('./result.mjs').Told & { benchmark: string }} Told
 * @typedef {{ machine: ReturnType<typeof machine>, results: Told[] }} Measured
 */

/** Runs these benchmarks one after the other, and hands each result on when it is there. */
export async function measure(
  /** @type {readonly string[]} */ names,
  /** @type {(told: Told) => void} */ onResult = () => {},
) {
  /** @type {Measured} */
  const measured = { machine: machine(), results: [] }
  const weight = names.reduce((sum, name) => sum + weightOf(name), 0)
  for (const name of names) {
    const { default: run } = await import(`./${name}.mjs`)
    const clock = new Clock(name, Math.min(QUESTION_MS, (ALL_MS * weightOf(name)) / weight))
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
