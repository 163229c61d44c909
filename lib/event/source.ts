/** Where the state of an exit event comes from, and how it reaches a child. */
import type { ExitState } from '../native/addon.js'

/** The variables that tell a child, in any language, where its end of the pipe is: the descriptor, and which pipe it must be. */
export const EXIT_FD_VARIABLE = 'SIGSHIELD_EXIT_FD'
export const EXIT_INODE_VARIABLE = 'SIGSHIELD_EXIT_INODE'
/** And the pipes of those above it, of whose trees it is a part too (lib/end/tree.ts). */
const ABOVE_VARIABLE = 'SIGSHIELD_ABOVE'
const INODE_VARIABLES = [ABOVE_VARIABLE, EXIT_INODE_VARIABLE]

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

/** The pipes that an environment names: of the process, or of one above it that all this came of. */
export function inodesNamed(environment: readonly string[]): readonly string[] {
  return INODE_VARIABLES.flatMap((variable) =>
    environment
      .filter((text) => text.startsWith(`${variable}=`))
      .flatMap((text) => inodesIn(text.slice(variable.length + 1))),
  )
}

function inodesIn(value: string): string[] {
  return value.split(',').filter((inode) => /^\d{1,20}$/.test(inode))
}

/** More generations than are in one tree: what starts itself anew would gain an inode each time. */
const GENERATIONS = 64

/** Of this process, its own last. */
const above = INODE_VARIABLES.flatMap((variable) => inodesIn(process.env[variable] ?? '')).slice(-GENERATIONS)

/** The variables of a child, as changes of its environment; without an end it has no event. */
export function childVariables(end: { readonly fd: number; readonly inode: bigint } | undefined): readonly string[] {
  // A variable that this process inherited itself would name a descriptor that the child does not get.
  const own = end
    ? [`${EXIT_FD_VARIABLE}=${end.fd}`, `${EXIT_INODE_VARIABLE}=${end.inode}`]
    : [EXIT_FD_VARIABLE, EXIT_INODE_VARIABLE]
  return above.length === 0 ? own : [...own, `${ABOVE_VARIABLE}=${above.join()}`]
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
