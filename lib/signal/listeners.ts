/** Listeners that come and go while a scope of ours lies over their signal. */
import { constants } from 'node:os'
import { native } from '../native/load.js'
import { isMainThread } from '../node/thread.js'
import { signalNumbers } from './names.js'

interface Covered {
  scopes: number
  /** From the first change of listeners on. */
  kept?: object
}

/** The signals of the scopes that are open in this thread. */
const covered = new Map<number, Covered>()

/**
 * Runs before Node's own, which has libuv write the signal's action for the first listener and after the last one: now there is neither.
 */
function onChange(event: string | symbol): void {
  const number = typeof event === 'string' ? (constants.signals as Record<string, number>)[event] : undefined
  const signal = number === undefined ? undefined : covered.get(number)
  if (!signal) return
  signal.kept ??= native().keepAction(number as number)
  native().listenersChange(signal.kept)
}

/** Until the returned function is called: it gives back the right action while the scope still lies over it. */
export function coverListeners(set: bigint): () => void {
  // Only the main thread has listeners for signals.
  if (!isMainThread() || set === 0n) return () => {}
  if (covered.size === 0) process.prependListener('newListener', onChange).prependListener('removeListener', onChange)
  const numbers = signalNumbers(set)
  for (const number of numbers) {
    const signal = covered.get(number) ?? { scopes: 0 }
    signal.scopes += 1
    covered.set(number, signal)
  }
  return () => {
    for (const number of numbers) uncover(number)
    if (covered.size === 0) process.off('newListener', onChange).off('removeListener', onChange)
  }
}

function uncover(number: number): void {
  const signal = covered.get(number) as Covered
  signal.scopes -= 1
  if (signal.scopes > 0) return
  covered.delete(number)
  if (signal.kept) native().releaseAction(signal.kept)
}
