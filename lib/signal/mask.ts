/** The mask of the calling thread, and what waits behind it. */
import { types } from 'node:util'
import { native } from '../native/load.js'
import { invalidArgType, invalidArgValue, invalidReturnValue, systemError } from '../node/errors.js'
import { type Signal, signalsOf } from './names.js'
import { maskSet } from './policy.js'

/** How a mask is changed: these signals are added, taken away, or all that it has. */
export type MaskChange = 'block' | 'unblock' | 'set'

const OTHER_WORK = 'the thread would go on with other work under its mask. Use hold()'

const changes: readonly MaskChange[] = ['block', 'unblock', 'set']

/** libc keeps these for itself (nptl(7)): they are neither told nor changed. */
const LIBC_SIGNALS = 0b11n << 31n

function change(how: unknown, signals: unknown): bigint {
  const index = changes.indexOf(how as MaskChange)
  if (typeof how !== 'string') throw invalidArgType('how', "'block', 'unblock' or 'set'", how)
  if (index < 0) throw invalidArgValue('how', how, "must be 'block', 'unblock' or 'set'")
  return native().changeMask(index, maskSet(signals))
}

/**
 * Changes the signal mask of the calling thread, and returns the one that was there (pthread_sigmask(3)).
 *
 * Per thread: what the main thread blocks reaches another thread of the process, and Node has some; then its listener is called, or
 * the default action ends the process, all the same. To keep a signal from the whole process use `hold` or `ignore`. A worker thread
 * inherits the mask of the thread that starts it. A child of `child_process` starts with none, one of ours with its `block`.
 * @param how - `'block'` adds the signals, `'unblock'` takes them away, `'set'` makes them all that the mask has.
 * @param signals - these; `[]` with `'block'` only asks.
 * @returns the old mask, ascending.
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_UNKNOWN_SIGNAL`; Error `ERR_DLOPEN_FAILED`,
 * `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` where there is no addon.
 * @example
 * mask('block', ['SIGUSR2'])
 * console.log(mask('unblock', ['SIGUSR2']).join()) // SIGUSR2
 */
export function mask(how: MaskChange, signals: readonly Signal[]): Signal[] {
  return signalsOf(change(how, signals) & ~LIBC_SIGNALS)
}

/**
 * Runs `fn` under a changed mask, and restores exactly the one that was there. Per thread, as {@link mask}.
 *
 * `fn` must be done when it returns: the thread would go on with other work under its mask. An async function is not called.
 * @param how - as for {@link mask}.
 * @param signals - as for {@link mask}.
 * @param fn - is called at once, and without arguments.
 * @returns what `fn` returns.
 * @throws what `fn` throws; TypeError `ERR_INVALID_ARG_VALUE` for an async function, `ERR_INVALID_RETURN_VALUE` when another has
 * returned a promise; what {@link mask} throws.
 * @example
 * withMask('block', ['SIGUSR2'], () => {
 *   raise('SIGUSR2') // waits
 *   console.log(waitSync(['SIGUSR2'], 0)?.name) // SIGUSR2
 * })
 */
export function withMask<T>(how: MaskChange, signals: readonly Signal[], fn: () => T): T {
  if (typeof fn !== 'function') throw invalidArgType('fn', 'of type function', fn)
  if (types.isAsyncFunction(fn)) throw invalidArgValue('fn', fn, `must not be an async function: ${OTHER_WORK}`)
  const saved = change(how, signals)
  let result: T
  try {
    result = fn()
  } finally {
    native().setMask(saved)
  }
  if (typeof (result as { then?: unknown } | null | undefined)?.then === 'function') {
    throw invalidReturnValue('no promise', 'fn', result)
  }
  return result
}

/**
 * The signals that are blocked and have come: for the calling thread, or for the process (sigpending(2)).
 * @returns them, ascending.
 * @throws Error `ERR_DLOPEN_FAILED`, `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` where there is no addon; `EPERM` and others where a policy
 * refuses the call.
 * @example
 * console.log(pending().length) // 0
 */
export function pending(): Signal[] {
  const found = native().pendingSignals()
  if (found < 0n) throw systemError(Number(found), 'sigpending')
  return signalsOf(found & ~LIBC_SIGNALS)
}
