/**
 * A child that is not started, where an exception or an 'error' would hit programs that did nothing wrong: it has streams, which
 * end, and a channel, as one whose program is not there has, but no pid, and nothing is ever told of it.
 */
import type { ChildProcess } from 'node:child_process'

/** Nothing can be executed by this name. */
export const NO_PROGRAM = '/dev/null/unstarted'

let isUnstarted = false

/** The child that `start` makes, synchronously, is not started. */
export function unstarted<Child extends ChildProcess>(start: () => Child): Child {
  isUnstarted = true
  try {
    // Its channel closes, and messages to it fail: nothing of that is told.
    return Object.assign(start(), { emit: () => false })
  } finally {
    isUnstarted = false
  }
}

/** Whether the child that is made now is to be such a one. */
export function isToBeUnstarted(): boolean {
  return isUnstarted
}
