/** Children that other code has started, and that a supervisor ends with its own. */
import type { ChildProcess } from 'node:child_process'
import { checkStop } from '../end/ladder.js'
import type { AdoptedHandle, Adopter } from '../foreign/shield.js'
import type { StopRequest } from '../stop.js'

export class Adopted implements Adopter {
  readonly #living = new Map<ChildProcess, AdoptedHandle>()

  adopt(child: ChildProcess, handle: AdoptedHandle): void {
    this.#living.set(child, handle)
    handle.onceEnded(() => void this.#living.delete(child))
  }

  get children(): ChildProcess[] {
    return [...this.#living.keys()]
  }

  /** @throws TypeError `ERR_INVALID_ARG_VALUE` for a stop that one of them could not hear. */
  check(request: StopRequest): void {
    for (const handle of this.#living.values()) checkStop(handle, { ...request, target: 'process' })
  }

  stop(request: StopRequest): Promise<unknown>[] {
    return [...this.#living.values()].map((handle) => handle.endAs(request))
  }
}
