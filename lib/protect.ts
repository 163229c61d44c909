/** Protects the children that other code starts: exec, execFile, fork, cluster, execa and all else that ends in child_process. */
import { ChildProcess } from 'node:child_process'
import { stop } from './end/ladder.js'
import type { ExitEvent } from './exit-event.js'
import { ForeignHandle } from './foreign/handle.js'
import { protecting } from './foreign/protecting.js'
import { type ProtectOptions, Shield } from './foreign/shield.js'
import { invalidArgType } from './node/errors.js'
import type { ResourceUsage } from './start/ended.js'
import { handleOf } from './start/process-handle.js'
import type { Enforced } from './start/protection.js'
import { type StopOptions, type StopOutcome, stopRequest } from './stop.js'

export type { ProtectOptions } from './foreign/shield.js'

/** What a protected child of another's has beyond a ChildProcess. */
export interface ChildProtection {
  /** What keeps the child from undoing what it ignores, as {@link ProtectedProcess.enforced}. */
  readonly enforced: Enforced
  /** The exit event that the child was given: its own alone, unless it was started with another. */
  readonly exitEvent: ExitEvent | undefined
  /** What the child has used of the machine. Undefined until it has exited. */
  readonly resourceUsage: ResourceUsage | undefined
  /**
   * As `ProtectedProcess.stop()`, of this child alone, whoever shares its event. `target` is 'tree' by default where {@link protect}
   * has protected it, and what outlives the child has the rest of its grace.
   * @param options - how long it has, what it is sent, and who besides it; what {@link protect} was told by default.
   * @returns how the child ended.
   * @throws (as a rejection) as `ProtectedProcess.stop()`.
   * @example
   * const child = protect({}, () => exec('sleep 60'))
   * console.log(await protectionOf(child)?.stop({ grace: 100 })) // { code: null, signal: 'SIGTERM', forced: false }
   */
  stop(options?: StopOptions): Promise<StopOutcome>
}

/**
 * Protects all children that this thread starts until it is disposed of, whoever starts them. Of several the one that was set up
 * last holds; they are disposed of in any order.
 *
 * Such a child ignores SIGINT, and so do its descendants. So what the signal would have done is done by this library: sent to the
 * child by `kill()` of its ChildProcess or of `process`, it ends the child and its descendants (SIGTERM, and SIGKILL after `grace`). Sent
 * to this process, by Ctrl-C, it ends all of them and then this process, unless the application listens to it.
 * @param options - for these children. `exitEvent` here is shared: each child has one of its own, which is set with it.
 * @returns what ends the protection of children that start later, by `[Symbol.dispose]()`.
 * @throws TypeError, RangeError, Error as {@link spawnProtected}, and TypeError `ERR_INVALID_ARG_VALUE` for what would
 * leave a child that nothing ends, and for a name that is no option; Error `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` where /proc can’t be read.
 * @example
 * using guard = protect()
 * const { stdout } = await promisify(exec)('kill -INT $$; echo alive') // anybody's exec
 * console.log(stdout.trim()) // alive
 */
export function protect(options?: ProtectOptions): Disposable
/**
 * Protects what `fn` starts, also later, in what it has begun. With null instead of options nothing is protected that `fn` starts.
 * @param options - for these children; null opts out.
 * @param fn - is called at once; what it begins keeps the protection.
 * @returns what `fn` returns.
 * @throws what `fn` throws, and what the form without it throws: `fn` is not called then.
 * @example
 * const { stdout } = await protect({}, () => promisify(exec)('kill -INT $$; echo alive'))
 * console.log(stdout.trim()) // alive
 */
export function protect<T>(options: ProtectOptions | null | undefined, fn: () => T): T
export function protect<T>(options: ProtectOptions | null = {}, fn?: () => T): T | Disposable {
  return protecting(options, fn, (given) => new Shield(given))
}

/**
 * Of a child that {@link protect}, `spawnProtected` or `forkProtected` has protected; undefined for any other. Of a cluster's worker,
 * give its `process`.
 * @param child - any ChildProcess of this thread.
 * @returns what is known of its protection, and its `stop()`.
 * @throws TypeError `ERR_INVALID_ARG_TYPE` for what is no ChildProcess.
 * @example
 * const child = protect({}, () => exec('sleep 60'))
 * console.log(protectionOf(child)?.enforced) // filter
 * await protectionOf(child)?.stop({ grace: 100 })
 */
export function protectionOf(child: ChildProcess): ChildProtection | undefined {
  if (!(child instanceof ChildProcess)) throw invalidArgType('child', 'an instance of ChildProcess', child)
  const handle = handleOf(child)
  if (!handle?.asked) return undefined
  return {
    get enforced() {
      return handle.enforced
    },
    get exitEvent() {
      return handle.protection.exitEvent
    },
    get resourceUsage() {
      return handle.resourceUsage
    },
    stop: async (options = {}) =>
      handle instanceof ForeignHandle ? handle.stop(options) : stop(handle, stopRequest(options)),
  }
}
