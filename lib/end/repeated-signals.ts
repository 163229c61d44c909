/** Which signals ask for more than the first one did. */

/** A signal that comes again within this time is the same request, forwarded by npm, pnpm or another that stands before us. */
const SAME_REQUEST_MS = 1000
/** Two of a kind that come closer than this are one press that somebody has forwarded. */
const SAME_PRESS_MS = 30
const PRESSES_THAT_HURRY = 3

/** Of the request that begins with this signal, at its construction. */
export class RepeatedSignals {
  readonly #signal: string
  readonly #at = performance.now()
  #latest: { readonly signal: string; readonly at: number }
  #presses = 1

  constructor(signal: string) {
    this.#signal = signal
    this.#latest = { signal, at: this.#at }
  }

  /** Whether somebody has pressed again, and does not only forward what we have heard already. */
  isAnother(signal: string): boolean {
    const at = performance.now()
    const latest = this.#latest
    this.#latest = { signal, at }
    if (signal === latest.signal && at - latest.at < SAME_PRESS_MS) return false
    if (signal === this.#signal) this.#presses += 1
    return at - this.#at > SAME_REQUEST_MS || this.#presses >= PRESSES_THAT_HURRY
  }
}
