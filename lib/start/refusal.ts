/** A start that is refused without an exception: what Node returns for a program that is not there, and no event but 'error'. */
import type { ChildProcess } from 'node:child_process'

let refusal: Error | undefined

/** The child that `start` makes, synchronously, is refused with this error: it tells those who listen to its 'error', and nobody else. */
export function refusing<Child extends ChildProcess>(error: Error, start: () => Child): Child {
  refusal = error
  try {
    return start().on('error', () => {})
  } finally {
    refusal = undefined
  }
}

export function presentRefusal(): Error | undefined {
  return refusal
}
