/** A start that has returned before it was known whether the program runs. */
import { constants } from 'node:os'

/**
 * Node emits 'spawn' on its own for each start that has not failed. So it is given an errno for which it goes on with the child
 * all the same, and tells the handle on the next tick in place of that.
 */
export class UnderWay {
  static readonly RESULT = -constants.errno.EAGAIN

  #isNodeTold = false
  #later: (() => void)[] = []

  isNodeTold(): boolean {
    return this.#isNodeTold
  }

  nodeIsTold(): void {
    this.#isNodeTold = true
    this.#callNext()
  }

  /** What a listener throws holds back nothing. */
  #callNext(): void {
    const call = this.#later.shift()
    if (call === undefined) return
    try {
      call()
    } finally {
      this.#callNext()
    }
  }

  /** Node's tick needs the handle: what is told before it has to wait. */
  whenNodeIsTold(call: () => void): void {
    if (this.#isNodeTold) call()
    else this.#later.push(call)
  }
}
