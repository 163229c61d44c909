/** What the guard in a program says of itself, on a pipe that it closes before the program begins. */
import { fstatSync } from 'node:fs'
import { native } from '../native/load.js'
import { clearInterval, setInterval } from '../node/clock.js'

/** Where a guard answers: its descriptor in the child, and the inode of the pipe. */
export interface AnswerPlace {
  readonly fd: number
  readonly inode: bigint
}

/** As the addon's {@link native}.waitForGuard. */
const IN_FORCE = 0
const NONE = 2

/** How often a late answer is looked for. Node 26 makes a stream, which would tell at once, only for who may use the network. */
const LOOK_MS = 20
/** Without an answer there is no guard in a program that runs: that it does is asked less often, as it takes several files. */
const LOOKS = 250
const LOOKS_UNTIL_ASKED = 25

export class GuardAnswer {
  readonly #readEnd: number
  readonly #writeEnd: number
  readonly #owner: object

  constructor([readEnd, writeEnd, owner]: readonly [readEnd: number, writeEnd: number, owner: object]) {
    this.#readEnd = readEnd
    this.#writeEnd = writeEnd
    this.#owner = owner
  }

  /** Calls `start` with the place for the answer, which is right after the child's other descriptors. */
  startWith<Result>(descriptors: number[], start: (place: AnswerPlace) => Result): Result {
    // The end that it gets: on macOS each has a number of its own.
    const { ino: inode } = fstatSync(this.#writeEnd, { bigint: true })
    const fd = descriptors.length
    descriptors.push(this.#writeEnd)
    try {
      return start({ fd, inode })
    } finally {
      descriptors.pop()
      native().closeAcknowledgementWriteEnd(this.#owner)
    }
  }

  /** Undefined where none has come in this time, in which this thread is blocked. */
  within(ms: number): boolean | undefined {
    const answer = native().waitForGuard(this.#readEnd, ms)
    return answer === NONE ? undefined : answer === IN_FORCE
  }

  /**
   * Calls `told` once it is known, on the event loop, which it does not keep alive. A program that says nothing has no guard; one that
   * is held (`isHeld`) will say it later.
   */
  whenKnown(isHeld: () => boolean, told: (inForce: boolean) => void): void {
    let looks = 0
    const timer = setInterval(() => {
      const inForce = this.within(0)
      if (inForce === undefined) {
        looks += 1
        if (looks % LOOKS_UNTIL_ASKED === 0 && isHeld()) looks = 0
        if (looks < LOOKS) return
      }
      clearInterval(timer)
      this.close()
      told(inForce === true)
    }, LOOK_MS).unref()
  }

  close(): void {
    native().closeAcknowledgementReadEnd(this.#owner)
  }
}
