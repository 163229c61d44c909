/** The exit event of a parent, for its children: a pipe for each, of which it holds the write end. */
import type { ExitState } from '../native/addon.js'
import { native } from '../native/load.js'
import { invalidState } from '../node/errors.js'
import type { ChildEnd, EventSource } from './source.js'

/**
 * Pipes of children that have ended, and whose descendants still read them. Held here, as the event itself may be dropped by
 * the program: they would take that for the death of this process.
 */
const inherited = new Set<object>()

export class Own implements EventSource {
  readonly settable = true
  readonly #flag = new Int32Array(new SharedArrayBuffer(4))
  readonly #pipes = new Set<object>()

  watch(): Int32Array {
    return this.#flag
  }

  look(): ExitState {
    return this.#flag[0] as ExitState
  }

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
    for (const pipe of this.#pipes) {
      native().setExitPipe(pipe)
      inherited.delete(pipe)
    }
    this.#pipes.clear()
  }

  childEnd(): ChildEnd {
    const { errno, step, fd, inode, handle: pipe } = native().createExitPipe()
    if (errno !== 0) return { errno, step, fd: -1, inode: 0n, isOwn: true, started: () => {}, ended: () => {} }
    // One that starts after set() finds it set.
    if (this.#flag[0] === 0) this.#pipes.add(pipe)
    else native().setExitPipe(pipe)
    return {
      errno,
      step,
      fd,
      inode,
      isOwn: true,
      started: () => native().closeExitReadEnd(pipe),
      ended: () => {
        if (!this.#pipes.has(pipe)) return
        inherited.add(pipe)
        closeUnread()
        if (!inherited.has(pipe)) this.#pipes.delete(pipe)
      },
    }
  }
}

/** Nobody is told by the end of a pipe that nobody reads. */
function closeUnread(): void {
  for (const pipe of inherited) {
    if (native().closeUnreadExitPipe(pipe)) inherited.delete(pipe)
  }
}
