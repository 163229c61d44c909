/** The child's side: `import { exitEvent } from 'sigshield/child'`. */
import { Inherited } from './event/inherited.js'
import { Polled } from './event/polled.js'
import { Unconnected } from './event/unconnected.js'
import { ExitEvent } from './exit-event.js'
import { otherRuntime } from './node/runtime.js'

export type { ExitEvent, ExitReason } from './exit-event.js'

let event: ExitEvent | undefined

/**
 * The exit event that this process's parent gave to it, always the same object. In a process that was given none it is never
 * set, and `connected` is false. Using it does not keep the process alive; waiting does. Works in Bun and in Deno (which must be
 * allowed to read /proc and the environment) too: there it is looked at ten times a second, and `isSet()` is two system calls.
 * @throws a system error (`step`: the system call) where the system does not tell whether the descriptor is the event's.
 */
export function exitEvent(): ExitEvent {
  event ??= new ExitEvent((otherRuntime() ? Polled : Inherited).find() ?? new Unconnected())
  return event
}
