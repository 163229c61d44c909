/** The exit event of a parent, for its children. */
import type { ExitPipe, ExitState } from '../native/addon.js'
import { native } from '../native/load.js'
import { invalidState, systemError } from '../node/errors.js'
import type { EventSource, ReadEnd } from './source.js'

export class Own implements EventSource {
  readonly settable = true
  readonly #flag = new Int32Array(new SharedArrayBuffer(4))
  /** Undefined once set: its descriptors are closed at once, not when the event is collected. */
  #pipe: ExitPipe | undefined = openPipe()

  watch(): Int32Array {
    return this.#flag
  }

  keepAlive(): void {}

  waitSync(timeoutMs: number): ExitState {
    if (timeoutMs === Number.POSITIVE_INFINITY && this.#flag[0] === 0) {
      throw invalidState('waitSync() without a time-out would never return: only this thread can set this exit event')
    }
    Atomics.wait(this.#flag, 0, 0, timeoutMs)
    return this.#flag[0] as ExitState
  }

  set(): void {
    if (this.#flag[0] !== 0) return
    this.#flag[0] = 1
    if (this.#pipe) native().setExitPipe(this.#pipe.handle, false)
    this.#pipe = undefined
  }

  readEnd(): ReadEnd {
    if (this.#pipe) return { ...this.#pipe, release: () => {} }
    // A child that starts after set() is given a pipe of its own that is set already.
    const pipe = native().createExitPipe()
    if (pipe.errno !== 0) return { ...pipe, release: () => {} }
    native().setExitPipe(pipe.handle, true)
    return { ...pipe, release: () => native().setExitPipe(pipe.handle, false) }
  }
}

function openPipe(): ExitPipe {
  const pipe = native().createExitPipe()
  if (pipe.errno !== 0) throw systemError(pipe.errno, 'pipe2')
  return pipe
}
