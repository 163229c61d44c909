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
    // Messages to it fail, which is nothing to tell of either.
    return start().on('error', () => {})
  } finally {
    isUnstarted = false
  }
}

/** Whether the child that is made now is to be such a one. */
export function isToBeUnstarted(): boolean {
  return isUnstarted
}
