/** The processes of the system as trees look at them: again and again, and several trees at once. */
import { setImmediate, time } from '../node/clock.js'
import { unlessShort } from '../signal/kernel-file.js'
import { type ProcessEntry, processTable } from '../signal/process-table.js'

export const LOOK_AGAIN_MS = 20

/** One for all trees that are looked at in the same turn of the event loop. */
let latest: ReadonlyMap<number, ProcessEntry> | undefined
let latestAt = 0

/** Undefined where it can't be told now. */
export function latestTable(): ReadonlyMap<number, ProcessEntry> | undefined {
  // A turn in which a call blocks may last for long.
  if (latest === undefined || time() - latestAt > LOOK_AGAIN_MS) {
    latestAt = time()
    latest = unlessShort(() => new Map(processTable().map((entry) => [entry.pid, entry])))
    setImmediate(() => {
      latest = undefined
    })
  }
  return latest
}
