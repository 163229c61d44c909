/** Ctrl-C while a call blocks this thread: the program of the call does not hear it, and listeners wait for the event loop. */
import type { Interrupted } from '../native/addon.js'
import { setImmediate } from '../node/clock.js'
import { Presses } from './presses.js'
import { Tree } from './tree.js'

/** Those that no listener has heard of yet: one call may follow the other before the loop turns. */
let presses: Presses | undefined

/** Whether whoever waits at the terminal has pressed again. */
function isAnother(): boolean {
  if (presses !== undefined) return presses.isAnother('SIGINT')
  presses = new Presses('SIGINT')
  afterSignals(() => {
    presses = undefined
  })
  return false
}

/** When the loop has told its listeners, also where nothing else keeps it alive. It may look for immediates before signals. */
function afterSignals(then: () => void): void {
  setImmediate(() => setImmediate(then))
}

/** Of one call. What the program has started ignores SIGINT as it does, and is killed with it. */
export function interruption(): Interrupted {
  let tree: Tree | undefined
  return (pid) => {
    if (pid > 0) tree ??= new Tree(pid, undefined, true)
    tree?.look()
    const isEnough = isAnother()
    if (isEnough) tree?.killNow()
    return isEnough
  }
}
