/** The child's side: `import { exitEvent } from 'sigshield/child'`. */
import { EXIT_FD_VARIABLE, EXIT_INODE_VARIABLE, ExitEvent, Inherited, Unconnected } from './exit-event.js'
import { native } from './native.js'

export type { ExitEvent, ExitReason } from './exit-event.js'

let event: ExitEvent | undefined

/**
 * The exit event that this process's parent gave to it, always the same object. In a process that was given none it is never
 * set, and `connected` is false. Using it does not keep the process alive; waiting does.
 */
export function exitEvent(): ExitEvent {
  event ??= new ExitEvent(findSource())
  return event
}

/** The variables may be stale: inherited by a grandchild that did not get the descriptor, or got another file at its number. */
function findSource(): Inherited | Unconnected {
  const fd = numberIn(EXIT_FD_VARIABLE)
  const inode = numberIn(EXIT_INODE_VARIABLE)
  return fd <= MAX_FD && native.claimExitFd(fd, inode) ? new Inherited(fd, inode) : new Unconnected()
}

const MAX_FD = 2 ** 31 - 1

/** NaN when the variable is no decimal number. */
function numberIn(variable: string): number {
  const value = process.env[variable] ?? ''
  return /^\d+$/.test(value) ? Number(value) : Number.NaN
}
