/** What a caller may ask of the end of a child, and what it is told. */
import { checkMilliseconds, invalidArgType, invalidArgValue, ownOptions, unavailable } from './node/errors.js'
import { warnOfMisspelt } from './node/misspelt.js'
import { type Signal, signalNumber } from './signal/names.js'

/** How a child is ended: asked, then sent SIGTERM, then killed. */
export interface StopOptions {
  /**
   * Milliseconds that the child has when it was asked to leave. Then it is sent SIGTERM, if it hears it and was not asked by it,
   * and has a second grace until SIGKILL: as long as the first, and 2000 at the most, or the second of two numbers. 0: killed at
   * once; Infinity: never. Time in which the child, or this process, was stopped (SIGSTOP, a frozen container) does not count. A
   * later call may shorten it.
   * @default 5000
   */
  readonly grace?: number | readonly [number, number] | undefined
  /** Sent at once, as well as setting the exit event. @default none with an exit event, else 'SIGTERM' */
  readonly signal?: Signal | undefined
  /**
   * `'group'`: signals go to the whole process group that the child leads, and what is left of it when the child has exited is
   * killed. `'tree'` (Linux): the same for all its descendants, also those that have left the group or lost their parent; out of
   * reach is what was given another environment, and had lost its parent before this was called.
   * @default 'process'
   */
  readonly target?: 'process' | 'group' | 'tree' | undefined
}

export const stopOptions: ReadonlySet<string> = new Set<keyof StopOptions>(['grace', 'signal', 'target'])

/** How a child ended. */
export interface StopOutcome {
  /** Its exit code; null when a signal ended it, and, with `signal` null too, when something else in this process has reaped it. */
  readonly code: number | null
  /** The signal that ended it; null when it has exited. */
  readonly signal: NodeJS.Signals | null
  /** It had to be killed, as its grace was over; or was ended by a signal that an inherited filter let it not handle. */
  readonly forced: boolean
}

/** A stop's options, checked and complete. */
export interface StopRequest {
  readonly grace: number
  readonly secondGrace: number
  readonly signal: Signal | undefined
  readonly target: 'process' | 'group' | 'tree'
  /** Of a tree: what has outlived the child has the rest of the grace, and is killed only then. @default false */
  readonly restHasGrace?: boolean | undefined
  /** Of a tree: only what is in the child's session, as a terminal reaches no other. @default false */
  readonly sameSession?: boolean | undefined
}

const DEFAULT_GRACE_MS = 5000
const LONGEST_SECOND_GRACE_MS = 2000

/**
 * Checks what can be checked without a child.
 * @throws TypeError, RangeError in Node's shapes.
 */
export function stopRequest(options: unknown): StopRequest {
  const given = ownOptions('options', options) as Record<keyof StopOptions, unknown>
  warnOfMisspelt(given, stopOptions)
  const { grace, signal, target = 'process' } = given
  if (signal !== undefined) signalNumber(signal, 'options.signal')
  if (target !== 'process' && target !== 'group' && target !== 'tree') {
    throw invalidArgType('options.target', "'process', 'group' or 'tree'", target)
  }
  if (target === 'tree' && process.platform !== 'linux') {
    throw unavailable(`target: 'tree' needs the process table of Linux. Use 'group', with { processGroup: true }`)
  }
  const [first, second] = graces(grace)
  return { grace: first, secondGrace: second, signal: signal as Signal | undefined, target }
}

function graces(given: unknown = DEFAULT_GRACE_MS): [number, number] {
  if (!Array.isArray(given)) {
    const grace = checkMilliseconds('options.grace', given)
    return [grace, Math.min(grace, LONGEST_SECOND_GRACE_MS)]
  }
  if (given.length !== 2) throw invalidArgValue('options.grace', given, 'must be a number or two')
  return [checkMilliseconds('options.grace[0]', given[0]), checkMilliseconds('options.grace[1]', given[1])]
}
