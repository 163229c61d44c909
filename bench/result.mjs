// What a benchmark found: the samples of every peer in every case, told as median, spread, and how much better we do.
import { quantile } from 'simple-statistics'

/**
 * @typedef {Record<string, string | number>} Case
 * @typedef {Record<string, string | number | null> & { peer: string, samples: number, median: number, p10: number, p90: number,
 *   ratio: number | null }} Row
 * @typedef {{ question: string, unit: string, better: 'lower' | 'higher', ours: string,
 *   rows: Row[], absent: Record<string, string>, notes: string[], plot?: Plot }} Told
 * @typedef {{ x?: string, facet?: string, log?: boolean }} Plot
 */

export class Result {
  #cases = /** @type {Map<string, { case: Case, peers: Map<string, number[]> }>} */ (new Map())
  #absent = /** @type {Record<string, string>} */ ({})
  #notes = /** @type {string[]} */ ([])
  #about

  constructor(
    /** @type {{ question: string, unit: string, better: 'lower' | 'higher', ours: string, plot?: Plot }} */ about,
  ) {
    this.#about = about
  }

  add(/** @type {Case} */ where, /** @type {string} */ peer, /** @type {number[]} */ ...values) {
    const key = JSON.stringify(where)
    const found = this.#cases.get(key) ?? { case: where, peers: new Map() }
    this.#cases.set(key, found)
    found.peers.set(peer, [...(found.peers.get(peer) ?? []), ...values])
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
    const rows = [...this.#cases.values()].flatMap(({ case: where, peers }) => {
      const oursHere = quantile(peers.get(ours) ?? [Number.NaN], 0.5)
      return [...peers].map(([peer, values]) => {
        const median = quantile(values, 0.5)
        const ratio = better === 'lower' ? median / oursHere : oursHere / median
        return {
          ...where,
          peer,
          samples: values.length,
          median,
          p10: quantile(values, 0.1),
          p90: quantile(values, 0.9),
          // What grew and what shrank can't be compared by a ratio.
          ratio: ratio > 0 ? ratio : null,
        }
      })
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
    [`${ours} is better by`]: ratio === null ? '' : `${rounded(ratio)}x`,
  }))
}
