/** What somebody wants who sends this process one signal, and then others. */
import { time } from '../node/clock.js'

/** A signal that comes again within this time is the same request, forwarded by npm, pnpm or another that stands before us. */
const SAME_REQUEST_MS = 1000
/** Two of a kind that come closer than this are one press that somebody has forwarded. */
const SAME_PRESS_MS = 30
const PRESSES_THAT_HURRY = 3

export class Presses {
  readonly #first: string
  readonly #at = time()
  #latest: { readonly signal: string; readonly at: number }
  #count = 1

  constructor(signal: string) {
    this.#first = signal
    this.#latest = { signal, at: this.#at }
  }

  /** Whether somebody has pressed again, and does not only forward what we have heard already. */
  isAnother(signal: string): boolean {
    const at = time()
    const latest = this.#latest
    this.#latest = { signal, at }
    if (signal === latest.signal && at - latest.at < SAME_PRESS_MS) return false
    if (signal === this.#first) this.#count += 1
    return at - this.#at > SAME_REQUEST_MS || this.#count >= PRESSES_THAT_HURRY
  }
}
