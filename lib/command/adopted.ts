/** Processes whose parents are gone: as process 1 of a container, and with --drain, they are ours to reap. */

import { constants } from 'node:os'
import { ownChildren } from '../end/reaper.js'
import { native } from '../native/load.js'
import { systemError, unavailable } from '../node/errors.js'
import { processEntry } from '../signal/process-table.js'

const LOOK_AGAIN_MS = 20

export class Adopted {
  #child = 0

  /** @throws a system error where they can't be adopted. */
  constructor() {
    const error = process.pid === 1 ? 0 : native().adoptOrphans()
    if (error === -constants.errno.ENOTSUP) {
      throw unavailable(
        '--drain works on Linux only: this system gives no process the orphans of its child. Leave it out',
      )
    }
    if (error !== 0) throw systemError(error, 'prctl')
  }

  /** From now on, all but the one that Node waits for. */
  reapBut(child: number): void {
    this.#child = child
    process.on('SIGCHLD', () => this.#left())
    this.#left()
  }

  /** Those that live. */
  #left(): number[] {
    const others = ownChildren().filter((pid) => pid !== this.#child)
    for (const pid of others) if (processEntry(pid)?.state === 'Z') native().reapZombie(pid)
    return others.filter((pid) => (processEntry(pid)?.state ?? 'Z') !== 'Z')
  }

  /** Resolves when none is left, or `ms` milliseconds have passed. */
  async wait(ms: number): Promise<void> {
    const end = performance.now() + ms
    while (this.#left().length > 0 && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(LOOK_AGAIN_MS, ms)))
    }
  }
}
