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
  const fd = Number(process.env[EXIT_FD_VARIABLE] ?? Number.NaN)
  const inode = Number(process.env[EXIT_INODE_VARIABLE] ?? Number.NaN)
  const named = Number.isInteger(fd) && fd >= 0 && Number.isInteger(inode) && inode >= 0
  return named && native.claimExitFd(fd, inode) ? new Inherited({ fd, inode }) : new Unconnected()
}
