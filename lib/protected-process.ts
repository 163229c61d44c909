/** A ChildProcess over our own native process. */

import { stop } from './end/ladder.js'
import type { ExitEvent } from './exit-event.js'
import { ChildProcessWithoutHandle, startChild } from './node/child-process-contract.js'
import type { ResourceUsage } from './start/ended.js'
import { limit } from './start/limits.js'
import type { SpawnPlan } from './start/plan.js'
import { ProcessHandle } from './start/process-handle.js'
import type { Enforced } from './start/protection.js'
import { type StopOptions, type StopOutcome, stopRequest } from './stop.js'

/**
 * A `child_process.ChildProcess` in every respect, whose process ignores or blocks what it was told to.
 * Made by `spawnProtected` and `forkProtected` only.
 */
export class ProtectedProcess extends ChildProcessWithoutHandle {
  readonly #handle: ProcessHandle

  /** @internal */
  constructor(plan: SpawnPlan) {
    super()
    this.#handle = new ProcessHandle(this, plan.protection, plan)
    startChild(this, this.#handle, plan.spawn)
    limit(this, this.#handle, plan)
  }

  /** The exit event that the child was given. */
  get exitEvent(): ExitEvent | undefined {
    return this.#handle.protection.exitEvent
  }

  /**
   * What keeps the child from undoing what it ignores: `'filter'`, the kernel, and every descendant too; `'guard'`, a library that is
   * loaded into it, and into the descendants that keep it; `false`, nothing. Where the guard in a program could not answer yet, it is what
   * the program's file foretells, until it has.
   */
  get enforced(): Enforced {
    return this.#handle.enforced
  }

  /**
   * Ends the child and resolves when it has exited. It is asked by its exit event, or by a signal, and made to go on if it is
   * stopped; when its grace is over it is sent SIGTERM, if it hears it; after a second grace it is killed. Calls share one outcome.
   * Keeps this process alive until then.
   * @param options - how long it has, what it is sent, and who besides it.
   * @returns how the child ended.
   * @throws (as a rejection) TypeError `ERR_INVALID_ARG_VALUE` for a signal that the child ignores or blocks, so for the default
   * too where it has no exit event and ignores SIGTERM, or for a group that it does not lead; `ERR_INVALID_ARG_TYPE`,
   * `ERR_UNKNOWN_SIGNAL`, RangeError `ERR_OUT_OF_RANGE`; Error `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` for `target: 'tree'` off Linux,
   * or where /proc can’t be read; a system error of `kill` (`EPERM`). The child runs on then. A system error of a shortage (`EMFILE`) where
   * it has ended, and nobody could look for the rest of its tree.
   * @example
   * const child = spawnProtected('sleep', ['60'])
   * console.log(await child.stop({ grace: [1000, 500] })) // { code: null, signal: 'SIGTERM', forced: false }
   */
  async stop(options: StopOptions = {}): Promise<StopOutcome> {
    return stop(this.#handle, stopRequest(options))
  }

  /** What the child has used of the machine. Undefined until it has exited. */
  get resourceUsage(): ResourceUsage | undefined {
    return this.#handle.resourceUsage
  }
}
