/** One place for a child of a supervisor, through all the children that hold it one after the other. */
import { once } from 'node:events'
import { isStopping, stop } from '../end/ladder.js'
import { ExitEvent, sourceOf } from '../exit-event.js'
import { clearTimeout, setTimeout, time } from '../node/clock.js'
import type { ProtectedProcess } from '../protected-process.js'
import { handleOf, type ProcessHandle } from '../start/process-handle.js'
import { type StopOutcome, type StopRequest, stopRequest } from '../stop.js'
import type { RestartPolicy } from './restart.js'

/** How one child of a supervisor ended. */
export interface ChildOutcome extends StopOutcome {
  /** The one that ended. */
  readonly child: ProtectedProcess
}

/** The last end of a child in a place that nobody will take any more. */
export interface GivenUp extends ChildOutcome {
  /** Why another could not be started in its place, where that was the end. */
  readonly error?: Error | undefined
}

/** What a supervisor is told of its places. None of it may throw. */
export interface PlaceListener {
  started(place: Place, child: ProtectedProcess): void
  restarted(child: ProtectedProcess, previous: ChildOutcome): void
  /** It lives no more, and nobody has been told yet. */
  left(child: ProtectedProcess): void
  /** Resolves when all who listen have been told. */
  ended(outcome: ChildOutcome): Promise<void>
  gaveUp(outcome: GivenUp): void
  /** No child will come any more. */
  isOver(place: Place): void
}

export class Place {
  readonly #start: (exitEvent: ExitEvent) => ProtectedProcess
  readonly #policy: RestartPolicy
  readonly #listener: PlaceListener
  readonly #signal: AbortSignal | undefined
  #exitEvent: ExitEvent | undefined
  #startedAt = 0
  #timer: NodeJS.Timeout | undefined
  #isClosed = false
  /** Its next end is a part of a restart. */
  #isReplaced = false
  #living: { readonly child: ProtectedProcess; readonly handle: ProcessHandle } | undefined
  #outcome: Promise<ChildOutcome> | undefined

  /** `signal`: where it is aborted, the end of the child was asked for. */
  constructor(
    start: (exitEvent: ExitEvent) => ProtectedProcess,
    policy: RestartPolicy,
    listener: PlaceListener,
    signal: AbortSignal | undefined,
  ) {
    this.#start = start
    this.#policy = policy
    this.#listener = listener
    this.#signal = signal
  }

  /** Of the child that lives, or has ended and is still to be told of. */
  get outcome(): Promise<ChildOutcome> | undefined {
    return this.#outcome
  }

  get handle(): ProcessHandle | undefined {
    return this.#living?.handle
  }

  /** Each child has an exit event of its own, so that one can be stopped without telling the others. */
  start(): ProtectedProcess {
    const exitEvent = new ExitEvent()
    const child = this.#start(exitEvent)
    // One that did not start tells so by its own 'error'.
    if (child.pid === undefined) return child
    const handle = handleOf(child) as ProcessHandle
    this.#exitEvent = handle.protection.exitEvent
    this.#startedAt = time()
    this.#living = { child, handle }
    this.#outcome = new Promise((resolve) => {
      handle.onceEnded(() => {
        this.#living = undefined
        this.#listener.left(child)
        resolve(this.#ended(child, handle))
      })
    })
    this.#listener.started(this, child)
    return child
  }

  async #ended(child: ProtectedProcess, handle: ProcessHandle): Promise<ChildOutcome> {
    const livedMs = time() - this.#startedAt
    const outcome = { child, ...(await stop(handle, stopRequest({}))) }
    this.#outcome = undefined
    await this.#listener.ended(outcome)
    if (isStopping(handle) && !this.#isReplaced) this.close()
    else this.#restartAfter(outcome, livedMs)
    return outcome
  }

  #restartAfter(previous: GivenUp, livedMs: number): void {
    if (this.#isReplaced) return
    const isOver = this.#isClosed || this.#signal?.aborted
    const delay = isOver ? 'never' : this.#policy.next(previous, livedMs)
    if (delay === 'given-up') this.#listener.gaveUp(previous)
    // What is refused then is told by giving up.
    const startAgain = () => void this.#startAgain(previous).catch(() => {})
    if (typeof delay === 'number') this.#timer = setTimeout(startAgain, delay)
    else this.close()
  }

  /** That all are to leave. */
  tell(): void {
    this.close()
    if (sourceOf(this.#exitEvent)?.settable) this.#exitEvent?.set()
  }

  async stop(request: StopRequest): Promise<void> {
    if (this.#living) await stop(this.#living.handle, request)
  }

  /**
   * Ends the child and starts another in its place. Nothing happens where none lives. Rejects with what the system refuses: a
   * start that fails counts as a child that ended at once.
   */
  async replace(request: StopRequest): Promise<ProtectedProcess | undefined> {
    if (!this.#living) return undefined
    const outcome = this.#outcome as Promise<ChildOutcome>
    let previous: ChildOutcome
    this.#isReplaced = true
    try {
      await stop(this.#living.handle, request)
      previous = await outcome
    } finally {
      this.#isReplaced = false
    }
    return this.#isClosed ? undefined : this.#startAgain(previous)
  }

  /** A start that fails counts as a child that ended at once. Undefined where nobody wants one any more. */
  async #startAgain(previous: ChildOutcome): Promise<ProtectedProcess | undefined> {
    if (this.#signal?.aborted) {
      this.close()
      return undefined
    }
    try {
      const child = this.start()
      if (child.pid === undefined) throw (await once(child, 'error'))[0]
      this.#listener.restarted(child, previous)
      return child
    } catch (error) {
      const { child, forced } = previous
      this.#restartAfter({ child, code: null, signal: null, forced, error: error as Error }, 0)
      throw error
    }
  }

  /** No child is started here any more. */
  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    if (!this.#living) this.#listener.isOver(this)
  }
}
