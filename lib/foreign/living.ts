/**
 * The living children that other code has started, and what a signal to this process does about them: they ignore it, so what it
 * would have done to them is done here, when nobody else in this process decides.
 */
import { coordinator, type Follower } from '../end/coordinator.js'
import { Presses } from '../end/presses.js'
import { signalRestAtEnd } from '../end/tree.js'
import { nextTick } from '../node/clock.js'
import { isMainThread } from '../node/thread.js'
import { signalNumber } from '../signal/names.js'
import type { ForeignHandle } from './handle.js'
import { Leftovers } from './leftovers.js'

/** What a terminal or a service manager sends to all at once. */
const TO_ALL = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const

class Living implements Follower {
  readonly #handles = new Set<ForeignHandle>()
  readonly #leftovers = new Leftovers(() => this.#rest())
  /** Those that a signal would have ended, and that the application is left to end. */
  readonly #spared = new Map<ForeignHandle | Leftovers, Presses>()
  /** What is listened to for them. */
  #signals: NodeJS.Signals[] = []
  #isLeaving = false
  #whenEmpty: (() => void) | undefined

  /** One that is about to start. */
  add(handle: ForeignHandle): void {
    this.#handles.add(handle)
    // A worker thread gets no signals.
    if (!handle.isAttached || !isMainThread()) return
    const signals = TO_ALL.filter((name) => this.#signals.includes(name) || handle.ignores(signalNumber(name)))
    if (signals.length === this.#signals.length) return
    if (this.#signals.length === 0) process.on('exit', this.#atExit)
    this.#signals = signals
    coordinator().add(this, signals)
  }

  /** What starts while all others leave, leaves too. */
  started(handle: ForeignHandle): void {
    if (this.#isLeaving && handle.isAttached && handle.running) void handle.end()
  }

  delete(handle: ForeignHandle): void {
    this.#handles.delete(handle)
    this.#spared.delete(handle)
    const { inodeLeft } = handle
    if (inodeLeft !== undefined && handle.isAttached && isMainThread()) this.#leftovers.add(inodeLeft, handle.grace)
    this.#rest()
    if (this.#handles.size > 0) return
    this.#whenEmpty?.()
    this.#whenEmpty = undefined
  }

  /** Calls it now, or when the last has ended. */
  whenEmpty(then: () => void): void {
    if (this.#handles.size === 0) then()
    else this.#whenEmpty = then
  }

  /** Listens no more, where there is nothing to listen for. */
  #rest(): void {
    if (this.#isLeaving || this.#signals.length === 0 || this.#attached().length > 0 || this.#leftovers.isPossible)
      return
    this.#signals = []
    this.#spared.clear()
    process.off('exit', this.#atExit)
    coordinator().remove(this)
  }

  byPid(pid: number): ForeignHandle | undefined {
    for (const handle of this.#handles) if (handle.pid === pid && handle.running) return handle
    return undefined
  }

  #attached(): ForeignHandle[] {
    return [...this.#handles].filter(({ isAttached }) => isAttached)
  }

  async leave(): Promise<void> {
    this.#isLeaving = true
    await Promise.all([...this.#attached().map((handle) => handle.end()), this.#leftovers.end()])
  }

  hurry(): void {
    for (const handle of this.#attached()) void handle.endAtOnce()
    void this.#leftovers.endAtOnce()
  }

  spare(signal: NodeJS.Signals): void {
    const ignoring = this.#attached().filter((handle) => handle.ignores(signalNumber(signal)))
    for (const one of this.#leftovers.isPossible ? [...ignoring, this.#leftovers] : ignoring) {
      const presses = this.#spared.get(one)
      if (presses === undefined) this.#spared.set(one, new Presses(signal))
      // The application's own listeners speak first.
      else if (presses.isAnother(signal)) nextTick(() => one.endAtOnce())
    }
  }

  abandon(): void {
    abandon([...this.#attached(), this.#leftovers])
  }

  /** Whatever has ended the process after the signal: its own listener, most often. */
  readonly #atExit = () => {
    if (this.#isLeaving) this.abandon()
    else abandon([...this.#spared.keys()])
  }
}

/** All are told before anybody waits. */
function abandon(all: readonly (ForeignHandle | Leftovers)[]): void {
  signalRestAtEnd(all.flatMap((one) => one.abandon()))
}

export const living = new Living()
