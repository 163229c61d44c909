/** Taking a signal that comes, in place of its listeners and its default action; and sending one to oneself. */
import { addAbortListener } from 'node:events'
import type { SignalArrival } from '../native/addon.js'
import { native } from '../native/load.js'
import { dispose } from '../node/dispose.js'
import {
  AbortError,
  checkMilliseconds,
  invalidArgType,
  invalidArgValue,
  isOptions,
  ownOptions,
  systemError,
} from '../node/errors.js'
import { warnOfMisspelt } from '../node/misspelt.js'
import { isMainThread } from '../node/thread.js'
import { coverListeners } from './listeners.js'
import { type Signal, signalNumber, signalOf } from './names.js'
import { processSet } from './policy.js'

/** A signal that was taken. */
export interface ReceivedSignal {
  /** As the system counts them. */
  readonly number: number
  /** Its number again for a real-time signal, which has no name in Node. */
  readonly name: Signal
  /**
   * The process that sent it; 0 for the kernel, for who stands outside of this pid namespace, as `docker kill` (pid_namespaces(7)), and
   * where the system has no room to note it (RLIMIT_SIGPENDING of getrlimit(2)). On macOS a terminal's signals are those of the process
   * at its other side, and 0 is what was blocked when it came.
   */
  readonly pid: number
  /** The real user id of the sender. */
  readonly uid: number
  /** The kernel sent it, as for a terminal's Ctrl-C (`SI_KERNEL` of sigaction(2)); never so on macOS, where a key is of who holds the other side. */
  readonly fromKernel: boolean
}

function checked(signals: unknown, timeoutMs: unknown): [set: bigint, timeoutMs: number] {
  const set = processSet(signals)
  if (set === 0n) throw invalidArgValue('signals', signals, 'must not be empty')
  return [set, timeoutMs === undefined ? Number.POSITIVE_INFINITY : checkMilliseconds('timeoutMs', timeoutMs)]
}

function received([number, pid, uid, isOfKernel]: SignalArrival): ReceivedSignal | undefined {
  if (number < 0) throw systemError(number, 'rt_sigtimedwait')
  return number === 0 ? undefined : { number, name: signalOf(number), pid, uid, fromKernel: isOfKernel === 1 }
}

/**
 * Blocks this thread until one of the signals comes, and takes it: no listener hears of it, and its default action does not happen
 * (sigtimedwait(2)). Returns undefined after `timeoutMs` milliseconds; without them it waits for ever. One that is pending already is
 * taken at once; 0 milliseconds only look.
 *
 * Per process: the signals need not be blocked, and are taken whichever thread they reach. What comes before or after the call does
 * what it always does. Works in a worker thread, which can't be terminated while it waits.
 * @param signals - any of these.
 * @param timeoutMs - milliseconds, up to 2147483647, or Infinity, the default.
 * @returns the signal and who sent it; undefined when none came.
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` for none, or one that can't be taken, `ERR_UNKNOWN_SIGNAL`;
 * RangeError `ERR_OUT_OF_RANGE`; Error `ERR_DLOPEN_FAILED`, `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` where there is no addon.
 * @example
 * console.log(waitSync(['SIGUSR2'], 0)) // undefined
 */
export function waitSync(signals: readonly Signal[], timeoutMs?: number): ReceivedSignal | undefined {
  return received(native().takeSignal(...checked(signals, timeoutMs)))
}

/** How long {@link wait} waits, and what ends it. */
export interface WaitOptions {
  /** In milliseconds; none by default. Then the wait resolves to undefined. */
  readonly timeoutMs?: number | undefined
  /** Ends the wait: it rejects with an `AbortError`. */
  readonly signal?: AbortSignal | undefined
  /** Whether the wait keeps the process alive, as a timer of `node:timers/promises` does. Default: true. */
  readonly ref?: boolean | undefined
}

/**
 * The same without blocking this thread: another one waits, from this call on. When several wait for one signal, in whichever threads,
 * the last call takes it. A worker thread that is terminated while it waits, waits no more.
 *
 * An abort takes no signal away: what had come before it is what the wait resolves to, what comes after it does what it always does. A
 * signal that is aborted already takes none.
 *
 * What is sent to this very thread (`raise`, pthread_kill(3)) while it blocks the signal is seen only if it came before the call.
 * @param signals - any of these.
 * @param options - how long, what ends the wait, and whether it keeps the process alive.
 * @returns the signal and who sent it; undefined when none came in time.
 * @throws (as a rejection) as {@link waitSync}; Error `ABORT_ERR` whose `cause` is the signal's reason; Error `EAGAIN` where the system
 * has no thread to give.
 * @example
 * const next = wait(['SIGTERM', 'SIGINT'], { timeoutMs: 10_000 })
 * process.kill(process.pid, 'SIGTERM')
 * console.log((await next)?.name) // SIGTERM
 */
export async function wait(signals: readonly Signal[], options: WaitOptions): Promise<ReceivedSignal | undefined>
/**
 * The same, with the time as {@link waitSync} takes it.
 * @param signals - any of these.
 * @param timeoutMs - milliseconds, up to 2147483647, or Infinity, the default.
 * @param options - what ends the wait, and whether it keeps the process alive.
 * @returns the signal and who sent it; undefined when none came in time.
 * @throws (as a rejection) as the other form.
 * @example
 * console.log(await wait(['SIGUSR2'], 0)) // undefined
 */
export async function wait(
  signals: readonly Signal[],
  timeoutMs?: number,
  options?: Omit<WaitOptions, 'timeoutMs'>,
): Promise<ReceivedSignal | undefined>
export async function wait(
  signals: readonly Signal[],
  timeout?: number | WaitOptions,
  options: WaitOptions = {},
): Promise<ReceivedSignal | undefined> {
  const given: WaitOptions = isOptions(timeout)
    ? ownOptions('options', timeout)
    : { ...ownOptions('options', options), timeoutMs: timeout }
  warnOfMisspelt(given, waitOptions)
  const [set, timeoutMs] = checked(signals, given.timeoutMs)
  const { signal: abort, ref } = checkedOptions(given)
  if (abort?.aborted) throw new AbortError(abort.reason)
  // A negative errno: to take them says what is there.
  const pending = native().pendingSignals()
  const here = pending < 0n ? set : set & pending
  return (here === 0n ? undefined : received(native().takeSignal(here, 0))) ?? waitElsewhere(set, timeoutMs, ref, abort)
}

const waitOptions: ReadonlySet<string> = new Set<keyof WaitOptions>(['timeoutMs', 'signal', 'ref'])

function checkedOptions({ signal, ref = true }: WaitOptions): { signal: AbortSignal | undefined; ref: boolean } {
  if (signal !== undefined && !(typeof signal === 'object' && signal !== null && 'aborted' in signal)) {
    throw invalidArgType('options.signal', 'an instance of AbortSignal', signal)
  }
  if (typeof ref !== 'boolean') throw invalidArgType('options.ref', 'of type boolean', ref)
  return { signal, ref }
}

function waitElsewhere(
  set: bigint,
  timeoutMs: number,
  ref: boolean,
  abort: AbortSignal | undefined,
): Promise<ReceivedSignal | undefined> {
  return new Promise((resolve, reject) => {
    let isOver = false
    const finish = (aborted: boolean) => {
      if (isOver) return
      isOver = true
      listening?.[dispose]()
      uncover()
      try {
        const arrival = received(native().finishWait(handle as object))
        if (aborted && !arrival) throw new AbortError(abort?.reason)
        resolve(arrival)
      } catch (error) {
        reject(error)
      }
    }
    const listening = abort && addAbortListener(abort, () => finish(true))
    const handle = native().waitForSignal(set, timeoutMs, ref, !isMainThread(), () => finish(false))
    if (typeof handle === 'number') {
      listening?.[dispose]()
      return reject(systemError(handle, 'pthread_create'))
    }
    const uncover = coverListeners(set)
  })
}

/**
 * Sends a signal to the calling thread (raise(3)). Unless that thread blocks it, it is dealt with before this returns: the default
 * action is done, or Node has noted that there are listeners to call. Also in a worker thread, whose listeners are on the main thread.
 * @param signal - any signal of this system.
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_UNKNOWN_SIGNAL`; Error `EAGAIN` for a real-time signal that the system has no room to
 * queue (RLIMIT_SIGPENDING of getrlimit(2)), `ERR_DLOPEN_FAILED`, `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` where there is no addon.
 * @example
 * withMask('block', ['SIGHUP'], () => {
 *   raise('SIGHUP')
 *   console.log(pending().join()) // SIGHUP
 *   waitSync(['SIGHUP'])
 * })
 */
export function raise(signal: Signal): void {
  const error = native().raiseSignal(signalNumber(signal))
  if (error !== 0) throw systemError(error, 'tgkill')
}
