/** The exit event of a process that was given none: it is never set, and needs no addon. */
import type { ExitState } from '../native/addon.js'
import { invalidState } from '../node/errors.js'
import type { EventSource } from './source.js'

export class Unconnected implements EventSource {
  readonly settable = false
  readonly #flag = new Int32Array(new SharedArrayBuffer(4))

  watch(): Int32Array {
    return this.#flag
  }

  look(): ExitState {
    return this.#flag[0] as ExitState
  }

  waitSync(timeoutMs: number): ExitState {
    if (timeoutMs === Number.POSITIVE_INFINITY) {
      throw invalidState('waitSync() without a time-out would never return: this process was given no exit event')
    }
    Atomics.wait(this.#flag, 0, 0, timeoutMs)
    return 0
  }

  set(): never {
    throw invalidState('Only the process that created an exit event can set it: this process was given none')
  }

  childEnd(): undefined {
    return undefined
  }
}
