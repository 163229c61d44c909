/** The exit event that the parent of this process gave to it: one in each environment. */
import type { ExitState } from '../native/addon.js'
import { native } from '../native/load.js'
import { time } from '../node/clock.js'
import { invalidState, systemError } from '../node/errors.js'
import { isMainThread } from '../node/thread.js'
import { type ChildEnd, type EventSource, namedEnd } from './source.js'

/** How often a worker thread that waits lets V8 see that it is to be terminated. */
const TERMINATION_CHECK_MS = 100

export class Inherited implements EventSource {
  readonly settable = false
  readonly #fd: number
  readonly #inode: bigint

  constructor(fd: number, inode: bigint) {
    this.#fd = fd
    this.#inode = inode
  }

  /**
   * Undefined in a process that was given none.
   * @throws a system error where the system does not say what the descriptor is: a worker that took it for none would never leave.
   */
  static find(): Inherited | undefined {
    const named = namedEnd()
    if (named === undefined) return undefined
    const { isOurs, errno, step } = native().claimExitFd(named.fd, named.inode)
    if (errno !== 0) throw Object.assign(systemError(errno, step), { step })
    return isOurs ? new Inherited(named.fd, named.inode) : undefined
  }

  watch(raised: () => void): Int32Array | undefined {
    const flag = native().watchExitEvent(this.#fd, raised) ?? undefined
    // The thread may be slower than the caller's first question.
    const state = this.look()
    if (flag && state !== 0) Atomics.store(flag, 0, state)
    return flag
  }

  look(): ExitState {
    return native().waitForExitEvent(this.#fd, 0)
  }

  waitSync(timeoutMs: number): ExitState {
    if (isMainThread()) return native().waitForExitEvent(this.#fd, timeoutMs)
    const end = time() + timeoutMs
    for (;;) {
      const remaining = Math.max(end - time(), 0)
      const state = native().waitForExitEvent(this.#fd, Math.min(remaining, TERMINATION_CHECK_MS))
      if (state !== 0 || remaining <= TERMINATION_CHECK_MS) return state
    }
  }

  set(): never {
    throw invalidState('Only the process that created an exit event can set it: set() was called in a child')
  }

  /** The same end: a descendant is told with this process, or by its end. */
  childEnd(): ChildEnd {
    return { errno: 0, step: '', fd: this.#fd, inode: this.#inode, isOwn: false, started: () => {}, ended: () => {} }
  }
}
