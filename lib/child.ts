/** The child's side: `import { exitEvent, liftGuard } from 'sigshield/child'`. */
import { Inherited } from './event/inherited.js'
import { Polled } from './event/polled.js'
import { Unconnected } from './event/unconnected.js'
import { ExitEvent } from './exit-event.js'
import { otherRuntime } from './node/runtime.js'
import { liftOwnGuard } from './signal/guard.js'
import type { Signal } from './signal/names.js'

export type { ExitEvent, ExitReason } from './exit-event.js'

let event: ExitEvent | undefined

/**
 * The exit event that this process's parent gave to it, always the same object. In a process that was given none it is never
 * set, and `connected` is false. Using it does not keep the process alive; waiting does. Works in Bun and in Deno (which must be
 * allowed to read /proc and the environment) too: there it is looked at ten times a second, and `isSet()` is two system calls.
 * @returns the event: {@link ExitEvent.isSet}, {@link ExitEvent.signal}, {@link ExitEvent.wait}.
 * @throws a system error (`step`: the system call) where the system does not tell whether the descriptor is the event's. In a process
 * that was given an event: Error `ERR_DLOPEN_FAILED` where the addon is not there, or can't be loaded,
 * `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` where there can be none; in Bun and Deno the latter without a /proc.
 * @example
 * const exit = exitEvent()
 * while (!exit.isSet()) {
 *   await work()
 *   if (!exit.connected) break // run by hand
 * }
 */
export function exitEvent(): ExitEvent {
  event ??= new ExitEvent((otherRuntime() ? Polled : Inherited).find() ?? new Unconnected())
  return event
}

/**
 * Lets this process handle signals again that its guard (`enforce: 'guard'`) keeps ignored, all of them by default. From then on
 * they do what was asked for meanwhile: a listener that is there already runs, and without one the signal has its default action.
 * What this process starts afterwards is not guarded against them either.
 * @param signals - all that are guarded, by default.
 * @returns the signals that were guarded; empty in a process without a guard. What a filter enforces stays as it is.
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_UNKNOWN_SIGNAL`; Error
 * `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` in a worker thread of a guarded process, or where there can be no addon, `ERR_DLOPEN_FAILED`
 * where it is not there, or can't be loaded.
 * @example
 * process.once('SIGTERM', () => {}) // is not called under the guard
 * console.log(liftGuard(['SIGTERM']).length) // 0
 */
export function liftGuard(signals?: readonly Signal[]): Signal[] {
  return liftOwnGuard(signals)
}
