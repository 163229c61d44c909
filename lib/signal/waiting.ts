/** Taking a signal that comes, in place of its listeners and its default action; and sending one to oneself. */
import type { SignalArrival } from '../native/addon.js'
import { native } from '../native/load.js'
import { checkMilliseconds, invalidArgValue, systemError } from '../node/errors.js'
import { type Signal, signalNumber, signalOf } from './names.js'
import { processSet } from './policy.js'

/** A signal that was taken. */
export interface ReceivedSignal {
  readonly number: number
  /** Its number again for a real-time signal, which has no name in Node. */
  readonly name: Signal
  /** The process that sent it; 0 for the kernel, as of a terminal's Ctrl-C. */
  readonly pid: number
  /** The real user id of the sender. */
  readonly uid: number
}

function checked(signals: unknown, timeoutMs: unknown): [set: bigint, timeoutMs: number] {
  const set = processSet(signals)
  if (set === 0n) throw invalidArgValue('signals', signals, 'must not be empty')
  return [set, timeoutMs === undefined ? Number.POSITIVE_INFINITY : checkMilliseconds('timeoutMs', timeoutMs)]
}

function received([number, pid, uid]: SignalArrival): ReceivedSignal | undefined {
  return number === 0 ? undefined : { number, name: signalOf(number), pid, uid }
}

/**
 * Blocks this thread until one of the signals comes, and takes it: no listener hears of it, and its default action does not happen
 * (sigtimedwait(2)). Returns undefined after `timeoutMs` milliseconds; without them it waits for ever. One that is pending already is
 * taken at once; 0 milliseconds only look.
 *
 * Per process: the signals need not be blocked, and are taken whichever thread they reach. What comes before or after the call does
 * what it always does. Works in a worker thread, which can't be terminated while it waits.
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_UNKNOWN_SIGNAL`, RangeError `ERR_OUT_OF_RANGE`.
 */
export function waitSync(signals: readonly Signal[], timeoutMs?: number): ReceivedSignal | undefined {
  return received(native().takeSignal(...checked(signals, timeoutMs)))
}

/**
 * The same without blocking this thread: another one waits, from this call on. A process that waits stays alive. When several wait for
 * one signal, the last call takes it.
 *
 * What is sent to this very thread (`raise`, pthread_kill(3)) while it blocks the signal is seen only if it came before the call.
 * @throws as {@link waitSync}, and Error `EAGAIN` where the system has no thread to give; all as a rejection.
 */
export async function wait(signals: readonly Signal[], timeoutMs?: number): Promise<ReceivedSignal | undefined> {
  const [set, limit] = checked(signals, timeoutMs)
  const here = set & native().pendingSignals()
  const first = here === 0n ? undefined : received(native().takeSignal(here, 0))
  if (first) return first
  return new Promise((resolve, reject) => {
    const error = native().waitForSignal(set, limit, (...arrival) => resolve(received(arrival)))
    if (error !== 0) reject(systemError(error, 'pthread_create'))
  })
}

/**
 * Sends a signal to the calling thread (raise(3)). Unless that thread blocks it, it is dealt with before this returns: the default
 * action is done, or Node has noted that there are listeners to call. Also in a worker thread, whose listeners are on the main thread.
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_UNKNOWN_SIGNAL`.
 */
export function raise(signal: Signal): void {
  native().raiseSignal(signalNumber(signal))
}
