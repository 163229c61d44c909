/** Time in which somebody could act: what a process spends stopped does not count. */
import { clearTimeout, computed, setTimeout, time } from '../node/clock.js'

/** How often it is looked whether time passes. */
const SLICE_MS = 100
/** A timer that is later than this was not late: this process was stopped, frozen with its container, or suspended. */
const LATE_MS = 100

export class Countdown {
  #remaining: number
  #timer: NodeJS.Timeout | undefined
  #since = 0
  #computedBefore = 0
  #forgiven = false
  readonly #isHeld: () => boolean
  readonly #over: () => void

  /**
   * Calls `over` when `ms` milliseconds (Infinity: never) have passed in which this process ran and `isHeld` was false.
   * Keeps the process alive.
   */
  constructor(ms: number, isHeld: () => boolean, over: () => void) {
    this.#remaining = ms
    this.#isHeld = isHeld
    this.#over = over
    if (ms !== Number.POSITIVE_INFINITY) this.#wait()
  }

  get remaining(): number {
    return this.#remaining
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #wait(): void {
    const slice = Math.min(this.#remaining, SLICE_MS)
    this.#since = time()
    this.#computedBefore = computed()
    this.#timer = setTimeout(() => this.#count(slice), slice)
  }

  #count(slice: number): void {
    const passed = time() - this.#since
    // A timer may be late because this process itself computes: that is no stop.
    // Less than before where a policy that refuses the answer has come in between.
    const ownWork = Math.max(0, computed() - this.#computedBefore)
    // On a machine so busy that every timer is late, the time of the second counts.
    this.#forgiven = passed > slice + LATE_MS + ownWork && !this.#forgiven
    const counted = this.#forgiven ? ownWork : slice + LATE_MS + ownWork
    if (!this.#isHeld()) this.#remaining -= Math.min(passed, counted)
    if (this.#remaining > 0) this.#wait()
    else this.#over()
  }
}
