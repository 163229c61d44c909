/** The exit event: one-way latch from a parent to its children. Set by the parent, or by its death. */
import { isMainThread } from 'node:worker_threads'
import { checkMilliseconds, invalidState, systemError } from './errors.js'
import { type ExitPipe, type ExitState, native } from './native.js'

export type ExitReason = 'requested' | 'orphaned'

/** The variables that tell a child, in any language, where its end of the pipe is: the descriptor, and which pipe it must be. */
export const EXIT_FD_VARIABLE = 'SIGSHIELD_EXIT_FD'
export const EXIT_INODE_VARIABLE = 'SIGSHIELD_EXIT_INODE'

/** The end of the pipe that a child is given. */
export interface ReadEnd {
  /** 0, or the negative errno of pipe2(2): then there is none. */
  readonly errno: number
  readonly fd: number
  readonly inode: number
  /** To be called when the child has been started. */
  release(): void
}

const reasons: readonly (ExitReason | undefined)[] = [undefined, 'requested', 'orphaned']

const messages: Readonly<Record<ExitReason, string>> = {
  requested: 'The parent process asked this one to leave',
  orphaned: 'The parent process is gone',
}

/** How often a worker thread that waits lets V8 see that it is to be terminated. */
const TERMINATION_CHECK_MS = 100

function checkTimeout(timeoutMs: unknown): number {
  return timeoutMs === undefined ? Number.POSITIVE_INFINITY : checkMilliseconds('timeoutMs', timeoutMs)
}

/** Where the state of an event comes from. */
interface Source {
  /** Memory that holds the {@link ExitState}. `raised` is called on the event loop some time after it changes by itself. */
  watch(raised: () => void): Int32Array
  /** Whether an event that is still to come keeps the event loop alive. */
  keepAlive(on: boolean): void
  /** Blocks this thread; `timeoutMs` may be Infinity. */
  waitSync(timeoutMs: number): ExitState
  set(): void
  /** Undefined when there is no parent to set the event. */
  readEnd(): ReadEnd | undefined
}

/** An event of this process, for its children. */
class Own implements Source {
  readonly #flag = new Int32Array(new SharedArrayBuffer(4))
  /** Undefined once set: its descriptors are closed at once, not when the event is collected. */
  #pipe: ExitPipe | undefined = openPipe()

  watch(): Int32Array {
    return this.#flag
  }

  keepAlive(): void {}

  waitSync(timeoutMs: number): ExitState {
    if (timeoutMs === Number.POSITIVE_INFINITY && this.#flag[0] === 0) {
      throw invalidState('waitSync() without a time-out would never return: only this thread can set this exit event')
    }
    Atomics.wait(this.#flag, 0, 0, timeoutMs)
    return this.#flag[0] as ExitState
  }

  set(): void {
    if (this.#flag[0] !== 0) return
    this.#flag[0] = 1
    if (this.#pipe) native.setExitPipe(this.#pipe.handle, false)
    this.#pipe = undefined
  }

  readEnd(): ReadEnd {
    if (this.#pipe) return { ...this.#pipe, release: () => {} }
    // A child that starts after set() is given a pipe of its own that is set already.
    const pipe = native.createExitPipe()
    if (pipe.errno !== 0) return { ...pipe, release: () => {} }
    native.setExitPipe(pipe.handle, true)
    return { ...pipe, release: () => native.setExitPipe(pipe.handle, false) }
  }
}

function openPipe(): ExitPipe {
  const pipe = native.createExitPipe()
  if (pipe.errno !== 0) throw systemError(pipe.errno, 'pipe2')
  return pipe
}

/** The event that the parent of this process gave to it: one in each environment. */
export class Inherited implements Source {
  readonly #fd: number
  readonly #inode: number

  constructor(fd: number, inode: number) {
    this.#fd = fd
    this.#inode = inode
  }

  watch(raised: () => void): Int32Array {
    const { errno, flag } = native.watchExitEvent(this.#fd, raised)
    if (errno !== 0) throw systemError(errno, 'pthread_create')
    // The thread may be slower than the caller's first question.
    const state = native.waitForExitEvent(this.#fd, 0)
    if (state !== 0) Atomics.store(flag, 0, state)
    return flag
  }

  keepAlive(on: boolean): void {
    native.keepExitEventAlive(on)
  }

  waitSync(timeoutMs: number): ExitState {
    if (isMainThread) return native.waitForExitEvent(this.#fd, timeoutMs)
    const end = performance.now() + timeoutMs
    for (;;) {
      const remaining = Math.max(end - performance.now(), 0)
      const state = native.waitForExitEvent(this.#fd, Math.min(remaining, TERMINATION_CHECK_MS))
      if (state !== 0 || remaining <= TERMINATION_CHECK_MS) return state
    }
  }

  set(): never {
    throw invalidState('Only the process that created an exit event can set it: set() was called in a child')
  }

  readEnd(): ReadEnd {
    return { errno: 0, fd: this.#fd, inode: this.#inode, release: () => {} }
  }
}

/** The event of a process that was given none: it is never set. */
export class Unconnected implements Source {
  readonly #flag = new Int32Array(new SharedArrayBuffer(4))

  watch(): Int32Array {
    return this.#flag
  }

  keepAlive(): void {}

  waitSync(timeoutMs: number): ExitState {
    if (timeoutMs === Number.POSITIVE_INFINITY) {
      throw invalidState('waitSync() without a time-out would never return: this process was given no exit event')
    }
    Atomics.wait(this.#flag, 0, 0, timeoutMs)
    return 0
  }

  set(): never {
    throw invalidState('Only the process that created an exit event can set it: this process was given none')
  }

  readEnd(): undefined {
    return undefined
  }
}

/**
 * A one-way latch: unset, then set for ever. A parent creates one, hands it to any number of children
 * (`spawnProtected(…, { exitEvent })`) and sets it once. A child gets its parent's from `exitEvent()` of `sigshield/child`.
 *
 * Children in other languages find the descriptor in the environment variable `SIGSHIELD_EXIT_FD`: when it becomes
 * readable, leave.
 */
export class ExitEvent {
  readonly #source: Source
  readonly #controller = new AbortController()
  readonly #waiting = new Set<() => void>()
  #flag: Int32Array | undefined

  /**
   * An event for children of this process, unset.
   * @throws a system error (`code` 'EMFILE', `syscall` 'pipe2') when no pipe can be had.
   */
  constructor()
  /** @internal */
  constructor(source: Source)
  constructor(source: Source = new Own()) {
    this.#source = source
  }

  /**
   * Sets the event: every child sees it at once, however many there are, and this process too. Setting it again does nothing.
   * @throws Error `ERR_INVALID_STATE` in a child: only the parent sets it.
   */
  set(): void {
    this.#source.set()
    this.#watch()
    this.#settle()
  }

  /** Whether the event is set. A memory read: fit for the hottest loop, and right in one that never yields. */
  isSet(): boolean {
    return Atomics.load(this.#flag ?? this.#watch(), 0) !== 0
  }

  /** Why the event is set: the parent asked, or the parent is gone. Undefined while it is unset. */
  get reason(): ExitReason | undefined {
    return reasons[Atomics.load(this.#flag ?? this.#watch(), 0)]
  }

  /** @internal Whether set() does not throw. */
  get settable(): boolean {
    return this.#source instanceof Own
  }

  /** False in a process that was given no event, or lost it on the way (a grandchild that did not inherit the descriptor). */
  get connected(): boolean {
    return !(this.#source instanceof Unconnected)
  }

  /** Aborts when the event is set, with an `AbortError` whose `cause` is the {@link reason}. Keeps no process alive. */
  get signal(): AbortSignal {
    this.#settle()
    return this.#controller.signal
  }

  /**
   * Resolves to true when the event is set, to false after `timeoutMs` milliseconds; for ever by default. A child that waits
   * stays alive.
   * @throws TypeError `ERR_INVALID_ARG_TYPE`, RangeError `ERR_OUT_OF_RANGE` (as a rejection).
   */
  async wait(timeoutMs?: number): Promise<boolean> {
    const limit = checkTimeout(timeoutMs)
    if (this.isSet()) return true
    if (limit === 0) return false
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer)
        this.#waiting.delete(finish)
        if (this.#waiting.size === 0) this.#source.keepAlive(false)
        resolve(this.isSet())
      }
      const timer = limit === Number.POSITIVE_INFINITY ? undefined : setTimeout(finish, limit)
      if (this.#waiting.size === 0) this.#source.keepAlive(true)
      this.#waiting.add(finish)
    })
  }

  /**
   * Blocks this thread until the event is set (true) or `timeoutMs` milliseconds have passed (false): a sleep that the parent
   * can interrupt.
   * @throws TypeError `ERR_INVALID_ARG_TYPE`, RangeError `ERR_OUT_OF_RANGE`; Error `ERR_INVALID_STATE` where it could never end.
   */
  waitSync(timeoutMs?: number): boolean {
    const limit = checkTimeout(timeoutMs)
    if (this.isSet()) return true
    const state = this.#source.waitSync(limit)
    if (state !== 0) Atomics.store(this.#watch(), 0, state)
    return state !== 0
  }

  /** @internal The end of the pipe to hand to one child. */
  readEnd(): ReadEnd | undefined {
    return this.#source.readEnd()
  }

  #watch(): Int32Array {
    this.#flag ??= this.#source.watch(() => this.#settle())
    return this.#flag
  }

  #settle(): void {
    const { reason } = this
    if (reason === undefined || this.#controller.signal.aborted) return
    const error = new Error(messages[reason], { cause: reason })
    this.#controller.abort(Object.assign(error, { name: 'AbortError', code: 'ABORT_ERR' }))
    for (const finish of [...this.#waiting]) finish()
  }
}
