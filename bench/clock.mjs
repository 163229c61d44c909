// How much of a measurement there is time for, and, on a terminal, how far it is.

// Turns, so that a median means something, whatever the machine.
const LEAST = 3
// The part of all the time.
const WARM_UP = 0.2

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

  /** Milliseconds that are left for one of the cases that are left. */
  get share() {
    return Math.max(0, this.#end - performance.now()) / Math.max(1, this.#cases - this.#done)
  }

  /**
   * How many there is time for of what takes so many milliseconds each.
   * @param {number} milliseconds
   * @param {{ in: number, least: number, most: number }} room - milliseconds, and the bounds.
   */
  static count(milliseconds, { in: room, least, most }) {
    return milliseconds > 0 ? Math.max(least, Math.min(most, Math.floor(room / milliseconds))) : most
  }

  /** The same for one of `parts` that make a turn, of which the next case has at least three. */
  countPerTurn(
    /** @type {number} */ milliseconds,
    /** @type {{ parts: number, least: number, most: number }} */ { parts, ...bounds },
  ) {
    return Clock.count(milliseconds, { in: this.share / (LEAST * parts), ...bounds })
  }

  /** Until the engines have compiled what they run often, as they have in a server: each of them in turn. */
  async warmUp(/** @type {(() => Promise<unknown>)[]} */ works) {
    const each = ((this.#end - performance.now()) * WARM_UP) / works.length
    for (const work of works) {
      const end = performance.now() + each
      do await work()
      while (performance.now() < end)
    }
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
