/** Processes whose parents are gone: as process 1 of a container, and with --drain, they are ours to reap. */

import { constants } from 'node:os'
import { ownChildren } from '../end/reaper.js'
import { native } from '../native/load.js'
import { systemError, unavailable } from '../node/errors.js'
import { unlessShort } from '../signal/kernel-file.js'
import { processEntry, requireProcesses } from '../signal/process-table.js'

const LOOK_AGAIN_MS = 20
/** Where no SIGCHLD may tell of it. */
const LATER_MS = 1000

export class Adopted {
  #child = 0
  #isToLookAgain = false

  /**
   * @throws a system error where they can't be adopted, Error `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` where they can't be seen.
   */
  constructor() {
    const error = process.pid === 1 ? 0 : native().adoptOrphans()
    if (error === -constants.errno.ENOTSUP) {
      throw unavailable(
        '--drain works on Linux only: this system gives no process the orphans of its child. Leave it out',
      )
    }
    if (error !== 0) throw systemError(error, 'prctl')
    requireProcesses('Processes whose parents are gone, and which are to be reaped, are found')
  }

  /** From now on, all but the one that Node waits for. */
  reapBut(child: number): void {
    this.#child = child
    process.on('SIGCHLD', () => this.#reap())
    this.#reap()
  }

  #reap(): void {
    if (this.#left() !== undefined || this.#isToLookAgain) return
    this.#isToLookAgain = true
    setTimeout(() => {
      this.#isToLookAgain = false
      this.#reap()
    }, LATER_MS).unref()
  }

  /** Those that live. Undefined where it can't be told now. */
  #left(): number[] | undefined {
    return unlessShort(() => {
      const others = ownChildren().filter((pid) => pid !== this.#child)
      for (const pid of others) if (processEntry(pid)?.state === 'Z') native().reapZombie(pid)
      return others.filter((pid) => (processEntry(pid)?.state ?? 'Z') !== 'Z')
    })
  }

  /** Resolves when none is left, or `ms` milliseconds have passed. */
  async wait(ms: number): Promise<void> {
    const end = performance.now() + ms
    while (this.#left()?.length !== 0 && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(LOOK_AGAIN_MS, ms)))
    }
  }
}
