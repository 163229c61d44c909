/**
 * The living children that other code has started, and what a signal to this process does about them: they ignore it, so what it
 * would have done to them is done here, when nobody else in this process decides.
 */
import { isMainThread } from 'node:worker_threads'
import { coordinator, type Follower } from '../end/coordinator.js'
import { Presses } from '../end/presses.js'
import { signalNumber } from '../signal/names.js'
import type { ForeignHandle } from './handle.js'

/** What a terminal or a service manager sends to all at once. */
const TO_ALL = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const

class Living implements Follower {
  readonly #handles = new Set<ForeignHandle>()
  /** Those that a signal would have ended, and that the application is left to end. */
  readonly #spared = new Map<ForeignHandle, Presses>()
  /** What is listened to for them. */
  #signals: NodeJS.Signals[] = []
  #isLeaving = false

  add(handle: ForeignHandle): void {
    this.#handles.add(handle)
    // A worker thread gets no signals.
    if (!handle.isAttached || !isMainThread) return
    if (this.#isLeaving) void handle.end()
    const signals = TO_ALL.filter((name) => this.#signals.includes(name) || handle.ignores(signalNumber(name)))
    if (signals.length === this.#signals.length) return
    if (this.#signals.length === 0) process.on('exit', this.#atExit)
    this.#signals = signals
    coordinator().add(this, signals)
  }

  delete(handle: ForeignHandle): void {
    this.#handles.delete(handle)
    this.#spared.delete(handle)
    if (this.#isLeaving || this.#signals.length === 0 || this.#attached().length > 0) return
    this.#signals = []
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
    await Promise.all(this.#attached().map((handle) => handle.end()))
  }

  hurry(): void {
    for (const handle of this.#attached()) void handle.endAtOnce()
  }

  spare(signal: NodeJS.Signals): void {
    for (const handle of this.#attached()) {
      if (!handle.ignores(signalNumber(signal))) continue
      const presses = this.#spared.get(handle)
      if (presses === undefined) this.#spared.set(handle, new Presses(signal))
      // The application's own listeners speak first.
      else if (presses.isAnother(signal)) process.nextTick(() => handle.endAtOnce())
    }
  }

  abandon(): void {
    for (const handle of this.#attached()) handle.abandon()
  }

  /** Whatever has ended the process after the signal: its own listener, most often. */
  readonly #atExit = () => {
    for (const handle of this.#isLeaving ? this.#attached() : this.#spared.keys()) handle.abandon()
  }
}

export const living = new Living()
