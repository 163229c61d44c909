// How many turns of a measurement there is time for, and, on a terminal, how far it is.

// So that a median means something, whatever the machine.
const LEAST = 3

export class Clock {
  #name
  #end
  #cases = 1
  #done = 0

  /** `milliseconds`: what the whole measurement is to take. */
  constructor(/** @type {string} */ name, /** @type {number} */ milliseconds) {
    this.#name = name
    this.#end = performance.now() + milliseconds
    this.#show('warms up')
  }

  /** The measurement has so many cases, each with turns of its own. */
  cases(/** @type {number} */ count) {
    this.#cases = count
  }

  /** What is left for one of the cases that are left. */
  get share() {
    return Math.max(0, this.#end - performance.now()) / Math.max(1, this.#cases - this.#done)
  }

  /** The turns of the next case: as many as there is time for, and no more than `most`. */
  *turns(/** @type {number} */ most) {
    const end = performance.now() + this.share
    for (let turn = 0; turn < most && (turn < LEAST || performance.now() < end); turn += 1) {
      this.#show(`case ${this.#done + 1} of ${this.#cases}, turn ${turn + 1} of ${most} or fewer`)
      yield turn
    }
    this.#done += 1
  }

  over() {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  }

  #show(/** @type {string} */ text) {
    const left = Math.max(0, Math.round((this.#end - performance.now()) / 1000))
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${this.#name}: ${text}, about ${left} s left`)
  }
}
