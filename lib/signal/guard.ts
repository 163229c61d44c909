/** The guard of this process: the library of sigshield that keeps signals ignored in a program, lib/guard/. */
import { native } from '../native/load.js'
import { unavailable } from '../node/errors.js'
import { isMainThread } from '../node/thread.js'
import type { Signal } from './names.js'
import { signalBit, signalsOf } from './names.js'
import { processSet } from './policy.js'

/** The variable in which a guard finds the signals to keep ignored, by number: `2,15`. native/guard/guard.h has the same. */
export const GUARD_VARIABLE = 'SIGSHIELD_GUARD'

/** As the guard reads it. */
export function guardText(set: bigint): string {
  const numbers: number[] = []
  for (let number = 1; number <= 64; number += 1) if (set & signalBit(number)) numbers.push(number)
  return numbers.join(',')
}

/** Whether this process was started under a guard: without one the addon is not needed to know that there is none. */
const isGuarded = process.env[GUARD_VARIABLE] !== undefined

/** See `liftGuard` of `sigshield/child`. */
export function liftOwnGuard(signals: readonly Signal[] | undefined): Signal[] {
  const asked = signals === undefined ? undefined : processSet(signals)
  if (!isGuarded) return []
  if (!isMainThread()) {
    throw unavailable(
      'liftGuard works on the main thread only: what this process starts is told by its environment, of which a worker ' +
        'thread has a copy. Call it there, for the whole process',
    )
  }
  const before = native().guardedSignals()
  const lifted = asked === undefined ? before : before & asked
  if (lifted === 0n) return []
  native().liftGuard(lifted)
  const rest = before & ~lifted
  // What this process starts from now on.
  if (rest === 0n) delete process.env[GUARD_VARIABLE]
  else process.env[GUARD_VARIABLE] = guardText(rest)
  return signalsOf(lifted)
}
