/** The process handle of a child that other code has started. */
import type { ChildProcess } from 'node:child_process'
import { isStopping, stop } from '../end/ladder.js'
import { Tree } from '../end/tree.js'
import { ownOptions } from '../node/errors.js'
import { includes, signalNumber } from '../signal/names.js'
import { limit } from '../start/limits.js'
import { ProcessHandle } from '../start/process-handle.js'
import { type StopOptions, type StopOutcome, type StopRequest, stopRequest } from '../stop.js'
import type { ShieldedStart } from './shield.js'

export class ForeignHandle extends ProcessHandle {
  readonly #start: ShieldedStart
  /** In the session of this process: what its terminal sends would have reached it. */
  readonly isAttached: boolean
  #stopping: Promise<StopOutcome> | undefined

  constructor(child: ChildProcess, start: ShieldedStart, isAttached: boolean) {
    super(child, start.protection, {})
    this.#start = start
    this.isAttached = isAttached
  }

  /** To be called when Node has driven it. `ended` is told when nothing of it is left that was to be ended with it. */
  started(child: ChildProcess, ended: () => void): void {
    if (!this.running) {
      this.#start.ended()
      ended()
      return
    }
    limit(child, this, { protection: this.protection, timeout: 0, signal: undefined, killSignal: undefined })
    this.#start.adopter?.adopt(child, this)
    this.onceEnded(() => {
      this.#start.ended()
      if (this.#stopping) this.#stopping.catch(() => {}).finally(ended)
      else ended()
    })
  }

  ignores(signal: number): boolean {
    return includes(this.unheard, signal)
  }

  /** A signal that would change nothing ends it all the same, and what has come of it. */
  override kill(signal: number): number {
    if (signal === 0 || !this.running || !this.ignores(signal)) return super.kill(signal)
    const errno = super.kill(0)
    if (errno === 0) void this.end()
    return errno
  }

  /** All that has come of it too. Resolves when nothing is left, or can't be ended. */
  async end(): Promise<void> {
    // Who is told twice may take that for more than it is.
    const signal = isStopping(this) ? undefined : this.#start.ending.signal
    await this.#end({ ...this.#start.ending, signal }).catch(() => {})
  }

  /** The same at once. */
  async endAtOnce(): Promise<void> {
    await this.#end({ ...this.#start.ending, signal: undefined, grace: 0, secondGrace: 0 }).catch(() => {})
  }

  get grace(): number {
    return this.#start.ending.grace
  }

  /** This process ends at once. Returns what may have more that is to be told. */
  abandon(): Tree[] {
    this.protection.exitEvent?.set()
    const { signal } = this.#start.ending
    if (signal === undefined) return []
    const number = signalNumber(signal)
    const tree = this.#remains()
    if (this.running) {
      tree.look()
      super.kill(number)
    }
    return tree.signal(number) ? [tree] : []
  }

  /** What has come of it is still to be told where it has ended. */
  #remains(): Tree {
    if (this.running) return new Tree(this.pid as number, this.ownInode, true)
    return new Tree(undefined, this.inodeLeft === undefined ? [] : [this.inodeLeft])
  }

  stop(options: StopOptions): Promise<StopOutcome> {
    const given = Object.entries(ownOptions('options', options)).filter(([, value]) => value !== undefined)
    const request = stopRequest({ ...this.#start.stopDefaults, ...Object.fromEntries(given) })
    return this.#end({ ...request, restHasGrace: request.target === 'tree' })
  }

  /** As one of those whose end is asked for together. */
  endAs(request: StopRequest): Promise<StopOutcome> {
    const { target, restHasGrace, sameSession } = this.#start.ending
    return this.#end({ ...request, target, restHasGrace, sameSession })
  }

  #end(request: StopRequest): Promise<StopOutcome> {
    const stopping = stop(this, request)
    this.#stopping = stopping
    return stopping
  }
}
