/** Where the state of an exit event comes from, and how it reaches a child. */
import type { ExitState } from '../native/addon.js'

/** The variables that tell a child, in any language, where its end of the pipe is: the descriptor, and which pipe it must be. */
export const EXIT_FD_VARIABLE = 'SIGSHIELD_EXIT_FD'
export const EXIT_INODE_VARIABLE = 'SIGSHIELD_EXIT_INODE'

/**
 * Where the exit event stands in a child. One digit, as dash names no other; scripts seldom use this one (`exec 3>>log`; 5 to 7:
 * configure; 9: flock(1)).
 */
export const EXIT_FD = 8

const MAX_FD = 2 ** 31 - 1

/**
 * What the variables of this process name, undefined where they name nothing. They may be stale: inherited by a grandchild that
 * did not get the descriptor, or got another file at its number.
 */
export function namedEnd(): { readonly fd: number; readonly inode: bigint } | undefined {
  const [fd, inode] = [EXIT_FD_VARIABLE, EXIT_INODE_VARIABLE].map((variable) => {
    const value = process.env[variable] ?? ''
    return /^\d{1,20}$/.test(value) ? BigInt(value) : undefined
  })
  return fd !== undefined && fd <= MAX_FD && inode !== undefined ? { fd: Number(fd), inode } : undefined
}

/** What one child is given: the read end of a pipe of its own, so that nothing that it does with it reaches another. */
export interface ChildEnd {
  /** 0, or the negative errno of the failed step: then there is none. */
  readonly errno: number
  readonly step: string
  readonly fd: number
  readonly inode: bigint
  /** Whether no other child is given this pipe. */
  readonly isOwn: boolean
  /** To be called when the child has been started, or was not. */
  started(): void
  /** To be called when it has ended, or did not start. */
  ended(): void
}

export interface EventSource {
  /**
   * Memory that holds the {@link ExitState}. `raised` is called on the event loop some time after it changes by itself. Undefined
   * where the system gives no thread to change it: then {@link look} tells.
   */
  watch(raised: () => void): Int32Array | undefined
  /** The present state. */
  look(): ExitState
  /** Blocks this thread; `timeoutMs` may be Infinity. */
  waitSync(timeoutMs: number): ExitState
  /** Whether set() does not throw. */
  readonly settable: boolean
  set(): void
  /** Undefined when there is no parent to set the event. */
  childEnd(): ChildEnd | undefined
}
