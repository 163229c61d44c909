/** Where the state of an exit event comes from, and how it reaches a child. */
import type { ExitState } from '../native/addon.js'

/** The variables that tell a child, in any language, where its end of the pipe is: the descriptor, and which pipe it must be. */
export const EXIT_FD_VARIABLE = 'SIGSHIELD_EXIT_FD'
export const EXIT_INODE_VARIABLE = 'SIGSHIELD_EXIT_INODE'

/** The end of the pipe that a child is given. */
export interface ReadEnd {
  /** 0, or the negative errno of pipe2(2): then there is none. */
  readonly errno: number
  readonly fd: number
  readonly inode: number
  /** To be called when the child has been started. */
  release(): void
}

export interface EventSource {
  /** Memory that holds the {@link ExitState}. `raised` is called on the event loop some time after it changes by itself. */
  watch(raised: () => void): Int32Array
  /** Whether an event that is still to come keeps the event loop alive. */
  keepAlive(on: boolean): void
  /** Blocks this thread; `timeoutMs` may be Infinity. */
  waitSync(timeoutMs: number): ExitState
  /** Whether set() does not throw. */
  readonly settable: boolean
  set(): void
  /** Undefined when there is no parent to set the event. */
  readEnd(): ReadEnd | undefined
}
