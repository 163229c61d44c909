/** A ChildProcess over our own native process. */
import type { ExitEvent } from './exit-event.js'
import { ChildProcessWithoutHandle, startChild } from './node/child-process-contract.js'
import { limit } from './start/limits.js'
import type { SpawnPlan } from './start/plan.js'
import { ProcessHandle, type ResourceUsage } from './start/process-handle.js'
import { Stop, type StopOptions, type StopOutcome } from './stop.js'

/**
 * A `child_process.ChildProcess` in every respect, whose process ignores or blocks what it was told to.
 * Made by `spawnProtected` and `forkProtected` only.
 */
export class ProtectedProcess extends ChildProcessWithoutHandle {
  readonly #handle: ProcessHandle
  #stop: Stop | undefined

  /** @internal */
  constructor(plan: SpawnPlan) {
    super()
    this.#handle = new ProcessHandle(this, plan.protection, plan)
    startChild(this, this.#handle, plan.spawn)
    limit(this, plan)
  }

  /** The exit event that the child was given. */
  get exitEvent(): ExitEvent | undefined {
    return this.#handle.protection.exitEvent
  }

  /** Whether the system keeps the child, and every descendant, from undoing what it ignores. */
  get enforced(): boolean {
    return this.#handle.enforced
  }

  /**
   * Ends the child and resolves when it has exited. It is asked by its exit event, which asks all children that share it, or by
   * a signal; made to go on if it is stopped; and killed when its grace is over. Calls share one outcome.
   * @throws (as a rejection) TypeError `ERR_INVALID_ARG_VALUE` for a signal that the child ignores or blocks, so for the default
   * too where it has no exit event and ignores SIGTERM, or for a group that it does not lead; `ERR_INVALID_ARG_TYPE`,
   * `ERR_UNKNOWN_SIGNAL`, RangeError `ERR_OUT_OF_RANGE`; a system error of `kill` (`EPERM`). The child runs on then.
   */
  async stop(options: StopOptions = {}): Promise<StopOutcome> {
    if (!this.#handle.running) {
      const code = this.pid === undefined ? null : this.exitCode
      return this.#stop?.outcome ?? { code, signal: this.signalCode, forced: false }
    }
    this.#stop ??= new Stop(this.#handle, (listener) => this.once('exit', listener))
    return this.#stop.request(options)
  }

  /** Undefined until the child has exited. */
  get resourceUsage(): ResourceUsage | undefined {
    return this.#handle.resourceUsage
  }
}
