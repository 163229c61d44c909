// What a benchmark found: the samples of every peer in every case, told as median, spread, and how much better we do.
import { quantile } from 'simple-statistics'

/**
 * @typedef {Record<string, string | number>} Case
 * @typedef {Case & { peer: string, samples: number, median: number, p10: number, p90: number, ratio: number }} Row
 * @typedef {{ question: string, unit: string, better: 'lower' | 'higher', ours: string,
 *   rows: Row[], absent: Record<string, string>, notes: string[], plot?: Plot }} Told
 * @typedef {{ x?: string, facet?: string, log?: boolean, except?: string[] }} Plot
 */

export class Result {
  #samples = /** @type {Map<string, { case: Case, peer: string, values: number[] }>} */ (new Map())
  #absent = /** @type {Record<string, string>} */ ({})
  #notes = /** @type {string[]} */ ([])
  #about

  constructor(
    /** @type {{ question: string, unit: string, better: 'lower' | 'higher', ours: string, plot?: Plot }} */ about,
  ) {
    this.#about = about
  }

  add(/** @type {Case} */ where, /** @type {string} */ peer, /** @type {number[]} */ ...values) {
    const key = JSON.stringify([where, peer])
    const found = this.#samples.get(key)
    if (found) found.values.push(...values)
    else this.#samples.set(key, { case: where, peer, values })
  }

  /** Peers that could not be measured, and why. */
  absent(/** @type {Record<string, string>} */ peers) {
    Object.assign(this.#absent, peers)
  }

  note(/** @type {string} */ text) {
    this.#notes.push(text)
  }

  /** @returns {Told} */
  tell() {
    const { better, ours } = this.#about
    const rows = [...this.#samples.values()].map(({ case: where, peer, values }) => {
      const median = (/** @type {number[] | undefined} */ list) => (list ? quantile(list, 0.5) : Number.NaN)
      const oursHere = median(this.#samples.get(JSON.stringify([where, ours]))?.values)
      return {
        ...where,
        peer,
        samples: values.length,
        median: median(values),
        p10: quantile(values, 0.1),
        p90: quantile(values, 0.9),
        ratio: better === 'lower' ? median(values) / oursHere : oursHere / median(values),
      }
    })
    return { ...this.#about, rows, absent: this.#absent, notes: this.#notes }
  }
}

const rounded = (/** @type {number} */ value) => Number(value.toPrecision(3))

/** A result as rows of a table; `ratio` is how many times better ours does. */
export function table(/** @type {Told} */ { rows, unit, ours }) {
  return rows.map(({ peer, samples, median, p10, p90, ratio, ...where }) => ({
    ...where,
    peer,
    [`median, ${unit}`]: rounded(median),
    'p10 to p90': `${rounded(p10)} to ${rounded(p90)}`,
    samples,
    [`${ours} is better by`]: Number.isNaN(ratio) ? '' : `${rounded(ratio)}x`,
  }))
}
