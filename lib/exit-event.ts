/** The exit event: one-way latch from a parent to its children. Set by the parent, or by its death. */
import { Inherited } from './event/inherited.js'
import { Own } from './event/own.js'
import { Polled } from './event/polled.js'
import type { EventSource } from './event/source.js'
import { Unconnected } from './event/unconnected.js'
import type { ExitState } from './native/addon.js'
import { clearInterval, clearTimeout, setInterval, setTimeout, time } from './node/clock.js'
import { checkMilliseconds, invalidArgType, MAX_TIMEOUT_MS } from './node/errors.js'

/** Why an exit event is set: the parent asked, or the parent is gone. */
export type ExitReason = 'requested' | 'orphaned'

const sources = new WeakMap<ExitEvent, EventSource>()

/** Undefined for what is no exit event. */
export function sourceOf(event: unknown): EventSource | undefined {
  return sources.get(event as ExitEvent)
}

/** @throws TypeError `ERR_INVALID_ARG_TYPE` for what is no exit event of this copy of the library. */
export function checkExitEvent(name: string, event: unknown): void {
  if (sourceOf(event) !== undefined) return
  const looksLikeOne = event instanceof Object && event.constructor?.name === 'ExitEvent' && 'isSet' in event
  const expected = looksLikeOne
    ? 'an ExitEvent of the sigshield that starts the child: this one is of another copy in this process (`npm ls sigshield`)'
    : 'an instance of ExitEvent'
  throw invalidArgType(name, expected, event)
}

const POLL_MS = 100

const reasons: readonly (ExitReason | undefined)[] = [undefined, 'requested', 'orphaned']

const messages: Readonly<Record<ExitReason, string>> = {
  requested: 'The parent process asked this one to leave',
  orphaned: 'The parent process is gone',
}

function checkTimeout(timeoutMs: unknown): number {
  return timeoutMs === undefined ? Number.POSITIVE_INFINITY : checkMilliseconds('timeoutMs', timeoutMs)
}

/**
 * A one-way latch: unset, then set for ever. A parent creates one, hands it to any number of children
 * (`spawnProtected(…, { exitEvent })`) and sets it once. A child gets its parent's from `exitEvent()` of `sigshield/child`.
 *
 * Children in other languages find the descriptor in the environment variable `SIGSHIELD_EXIT_FD`: when it becomes
 * readable, leave.
 * @example
 * const exitEvent = new ExitEvent()
 * const child = spawnProtected('sh', ['-c', 'read -r word <&"$SIGSHIELD_EXIT_FD"; echo leaving'], { exitEvent })
 * exitEvent.set()
 * const [output] = await once(child.stdout, 'data')
 * console.log(String(output).trim()) // leaving
 */
export class ExitEvent {
  readonly #source: EventSource
  #controller: AbortController | undefined
  #waiting: Set<() => void> | undefined
  #flag: Int32Array | undefined
  /** What was seen where there is no flag. */
  #seen: ExitState = 0
  #triedAt = Number.NEGATIVE_INFINITY
  /** Where there is none, and somebody waits for the event. */
  #polling: NodeJS.Timeout | undefined

  /**
   * An event for children of this process, unset. Each child that is given it takes one descriptor of this process.
   * @example
   * const exitEvent = new ExitEvent()
   * console.log(exitEvent.isSet()) // false
   */
  constructor()
  /** @internal */
  constructor(source: EventSource)
  constructor(source?: EventSource) {
    const given = [Inherited, Polled, Unconnected].some((kind) => source instanceof kind)
    this.#source = given ? (source as EventSource) : new Own()
    sources.set(this, this.#source)
  }

  /**
   * Sets the event: every child sees it at once, however many there are, and this process too. Setting it again does nothing.
   * @throws Error `ERR_INVALID_STATE` in a child: only the parent sets it.
   * @example
   * const exitEvent = new ExitEvent()
   * exitEvent.set()
   * console.log(exitEvent.isSet()) // true
   */
  set(): void {
    this.#source.set()
    this.#settle()
  }

  /**
   * Whether the event is set. A memory read: fit for the hottest loop, and right in one that never yields. Where the system has no
   * thread to give it is a system call.
   * @returns false while it is unset; from then on true.
   * @throws a system error when the first call finds no descriptor or memory to watch the event with (`EMFILE`, `ENOMEM`).
   * @example
   * const event = exitEvent() // of sigshield/child
   * for (let i = 0; i < 1e6 && !event.isSet(); i += 1) work()
   */
  isSet(): boolean {
    return this.#state() !== 0
  }

  /**
   * Why the event is set: the parent asked, or the parent is gone. Undefined while it is unset: then a system call has asked.
   * @throws as {@link isSet}.
   * @example
   * const exitEvent = new ExitEvent()
   * exitEvent.set()
   * console.log(exitEvent.reason) // requested
   */
  get reason(): ExitReason | undefined {
    return reasons[this.#state() || this.#look()]
  }

  /** False in a process that was given no event, or lost it on the way (a grandchild that did not inherit the descriptor). */
  get connected(): boolean {
    return !(this.#source instanceof Unconnected)
  }

  /**
   * Aborts when the event is set, with an `AbortError` whose `cause` is the {@link reason}. Keeps no process alive.
   * @throws as {@link isSet}.
   * @example
   * const exitEvent = new ExitEvent()
   * const sleep = setTimeout(60_000, undefined, { signal: exitEvent.signal }) // of node:timers/promises
   * exitEvent.set()
   * await sleep.catch((error) => console.log(error.code)) // ABORT_ERR
   */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    this.#settle()
    this.#poll()
    return this.#controller.signal
  }

  /**
   * Resolves to true when the event is set, to false after `timeoutMs` milliseconds; for ever by default. A process that waits
   * stays alive.
   * @param timeoutMs - milliseconds, up to 2147483647, or Infinity, the default.
   * @returns whether the event is set.
   * @throws (as a rejection) TypeError `ERR_INVALID_ARG_TYPE`, RangeError `ERR_OUT_OF_RANGE`; as {@link isSet}.
   * @example
   * console.log(await new ExitEvent().wait(10)) // false
   */
  async wait(timeoutMs?: number): Promise<boolean> {
    const limit = checkTimeout(timeoutMs)
    if (this.isSet()) return true
    if (limit === 0) return false
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer)
        this.#waiting?.delete(finish)
        resolve(this.isSet())
      }
      // Without a limit it only keeps the process alive, whoever is to set the event.
      const timer =
        limit === Number.POSITIVE_INFINITY ? setInterval(() => {}, MAX_TIMEOUT_MS) : setTimeout(finish, limit)
      this.#waiting ??= new Set()
      this.#waiting.add(finish)
      this.#poll()
    })
  }

  /**
   * Blocks this thread until the event is set (true) or `timeoutMs` milliseconds have passed (false): a sleep that the parent
   * can interrupt.
   * @param timeoutMs - milliseconds, up to 2147483647, or Infinity, the default.
   * @returns whether the event is set.
   * @throws TypeError `ERR_INVALID_ARG_TYPE`, RangeError `ERR_OUT_OF_RANGE`; Error `ERR_INVALID_STATE` where it could never end; as
   * {@link isSet}.
   * @example
   * console.log(exitEvent().waitSync(10)) // false
   */
  waitSync(timeoutMs?: number): boolean {
    const limit = checkTimeout(timeoutMs)
    if (this.isSet()) return true
    const state = this.#source.waitSync(limit)
    if (state === 0) return false
    if (this.#flag) Atomics.store(this.#flag, 0, state)
    else this.#seen = state
    return true
  }

  /** The end of another channel from the parent may come before the thread tells of this one. */
  #look(): ExitState {
    const state = this.#source.look()
    if (state === 0) return 0
    if (this.#flag) Atomics.store(this.#flag, 0, state)
    else this.#seen = state
    return state
  }

  #state(): ExitState {
    if (this.#flag) return Atomics.load(this.#flag, 0) as ExitState
    if (this.#seen !== 0) return this.#seen
    const now = time()
    if (now - this.#triedAt >= POLL_MS) {
      this.#flag = this.#source.watch(() => this.#settle())
      if (this.#flag) return Atomics.load(this.#flag, 0) as ExitState
      this.#triedAt = now
    }
    this.#seen = this.#source.look()
    return this.#seen
  }

  /** What no thread tells of is looked at now and then, by all who wait alike, until one can be had. */
  #poll(): void {
    // It may have come since the last look, which no other would tell.
    if (this.#state() !== 0) this.#settle()
    else if (!this.#flag) this.#lookNowAndThen()
  }

  #lookNowAndThen(): void {
    this.#polling ??= setInterval(() => {
      if (this.#state() === 0 && !this.#flag) return
      this.#settle()
      clearInterval(this.#polling)
      this.#polling = undefined
    }, POLL_MS).unref()
  }

  #settle(): void {
    const { reason } = this
    if (reason === undefined) return
    for (const finish of [...(this.#waiting ?? [])]) finish()
    if (this.#controller === undefined || this.#controller.signal.aborted) return
    const error = new Error(messages[reason], { cause: reason })
    this.#controller.abort(Object.assign(error, { name: 'AbortError', code: 'ABORT_ERR' }))
  }
}
