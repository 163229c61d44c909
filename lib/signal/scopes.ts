/** What becomes of a signal of this whole process for a while: it is ignored, or it waits. */
import { native } from '../native/load.js'
import { dispose } from '../node/dispose.js'
import { invalidArgType, systemError } from '../node/errors.js'
import { isMainThread } from '../node/thread.js'
import { coverListeners } from './listeners.js'
import { includes, type Signal, signalNumber } from './names.js'
import { processSet } from './policy.js'

/** What a process does with a signal: SIG_DFL, SIG_IGN, or it has a handler. */
export type Disposition = 'default' | 'ignored' | 'handled'

/**
 * The sections that are open in this thread: their signals, and when they are over. A promise that nobody can settle any more is
 * collected, and with it all that waits for it; not so what it holds.
 */
const sections = new Map<object, { readonly set: bigint; readonly over: Promise<void> }>()

/** Resolves when a section of this thread that holds the signal is over; undefined where there is none. */
export function sectionOf(signal: number): Promise<void> | undefined {
  for (const { set, over } of sections.values()) if (includes(set, signal)) return over
  return undefined
}

const dispositions: readonly Disposition[] = ['default', 'ignored', 'handled']

/**
 * What the process does with the signal, as the kernel knows it (sigaction(2)); 'handled' while it is held, or waited for. Per process.
 * @param signal - any signal of this system.
 * @returns `'default'`, `'ignored'` or `'handled'`.
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_UNKNOWN_SIGNAL`; Error `ERR_DLOPEN_FAILED`, `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM`
 * where there is no addon.
 * @example
 * process.on('SIGHUP', () => {})
 * console.log(disposition('SIGHUP')) // handled
 */
export function disposition(signal: Signal): Disposition {
  return dispositions[native().disposition(signalNumber(signal))] as Disposition
}

/**
 * Ignores the signals in this process (SIG_IGN) until it is disposed of. Then exactly the action that was there is put back, Node's
 * handler for listeners too. Per process. Calls nest, and may be disposed of in any order, or never: also when the worker thread that
 * called it has ended.
 *
 * `process.on` and `process.off` meanwhile count from the disposal on; where a worker thread ignores, such calls of the main thread for
 * the first or the last listener end it. What native code does to the action meanwhile stays done. What a section of {@link hold} has
 * held by then is discarded (sigaction(2)). Where two copies of this library ignore a signal, the first to be disposed of may end it.
 *
 * This is for children that inherit it: those of native code that forks by itself. It does nothing for `child_process`: libuv sets
 * signals 1 to 31 back to their default in each child; only a real-time signal stays ignored there. `spawnProtected` and
 * `forkProtected` ignore what their own `ignore` says.
 * @param signals - these.
 * @returns what puts the old actions back, by `[Symbol.dispose]()`.
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` for a signal that can't be ignored, `ERR_UNKNOWN_SIGNAL`; Error
 * `ERR_DLOPEN_FAILED`, `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` where there is no addon.
 * @example
 * const ignoring = ignore(['SIGHUP'])
 * raise('SIGHUP') // nothing
 * ignoring[Symbol.dispose]()
 * console.log(disposition('SIGHUP')) // default
 */
export function ignore(signals: readonly Signal[]): Disposable {
  const set = processSet(signals)
  const handle = native().ignoreSignals(set)
  const uncover = coverListeners(set)
  let ignores = true
  return {
    [dispose]() {
      if (!ignores) return
      ignores = false
      uncover()
      native().releaseIgnored(handle)
    },
  }
}

/**
 * A critical section: the signals wait while `fn` runs, whichever thread of the process they reach, and come when what it returns has
 * settled. Then listeners are called, or the default action is done, as without it. A standard signal that came several times comes
 * once, real-time ones as often as they came: that is the kernel's own rule for signals that wait. Their senders stay known, but
 * `si_code` says `SI_QUEUE`.
 *
 * Per process. Calls nest and overlap: a signal comes when the last section that holds it is over. `wait` and `waitSync` inside take
 * what is held. A worker thread that is terminated inside lets go of them; a process that exits inside exits by its own code, and
 * `handleSignals()` and `protect()` end it after a section of the main thread. Children that start inside are not held, whoever starts them.
 *
 * `process.on` and `process.off` for a held signal, inside, count at the end. In a worker thread's section such calls of the main thread,
 * for the first or the last listener, end the holding of that signal.
 *
 * Where the system has no room for more queued signals (RLIMIT_SIGPENDING of getrlimit(2)) none is lost, but senders are no longer
 * known, and several of one real-time signal may come as one at the end, to a handler of native code.
 * @param signals - these.
 * @param fn - is called at once, and without arguments. The section is over when what it returns has settled.
 * @returns what `fn` returns.
 * @throws what `fn` throws, TypeError, Error as {@link ignore}, Error `EAGAIN` where the system has no thread to give, `EPERM` or
 * `ENOSYS` where a policy refuses rt_sigtimedwait(2); all as a rejection.
 * @example
 * process.once('SIGTERM', () => console.log('SIGTERM')) // SIGTERM
 * await hold(['SIGTERM'], async () => {
 *   process.kill(process.pid, 'SIGTERM')
 *   await setTimeout(10) // all that must be written together
 * })
 * await setTimeout(10)
 */
export async function hold<T>(signals: readonly Signal[], fn: () => T | PromiseLike<T>): Promise<T> {
  const set = processSet(signals)
  if (typeof fn !== 'function') throw invalidArgType('fn', 'of type function', fn)
  // What can't be taken in the end would be lost.
  const [refused] = native().takeSignal(0n, 0)
  if (refused < 0) throw systemError(refused, 'rt_sigtimedwait')
  const handle = native().holdSignals(set, !isMainThread())
  if (typeof handle === 'number') throw systemError(handle, 'pthread_create')
  let ended = () => {}
  const over = new Promise<void>((resolve) => {
    ended = resolve
  })
  sections.set(handle, { set, over })
  const uncover = coverListeners(set)
  try {
    return await fn()
  } finally {
    uncover()
    native().releaseHold(handle)
    sections.delete(handle)
    ended()
  }
}
