/** The end of one child, however many ask for it: it is asked, then told by a signal that it hears, then killed. */
import { constants } from 'node:os'
import { invalidArgValue, systemError } from '../node/errors.js'
import { includes, signalNumber } from '../signal/names.js'
import { requireProcesses } from '../signal/process-table.js'
import type { ProcessHandle } from '../start/process-handle.js'
import type { StopOutcome, StopRequest } from '../stop.js'
import { Countdown } from './countdown.js'
import { Tree } from './tree.js'

const { SIGCONT, SIGKILL, SIGTERM } = constants.signals
const { EPERM, ESRCH } = constants.errno

const ladders = new WeakMap<ProcessHandle, Ladder>()

/** Whether somebody has asked for its end. */
export function isStopping(handle: ProcessHandle): boolean {
  return ladders.has(handle)
}

/** Resolves when the child has ended; rejects when the system lets nobody here kill it. */
export async function stop(handle: ProcessHandle, request: StopRequest): Promise<StopOutcome> {
  let ladder = ladders.get(handle)
  if (!handle.running) {
    const { code = null, signal = null } = handle.ended ?? {}
    return ladder?.waitsForRest ? ladder.climb(request) : (ladder?.outcome ?? { code, signal, forced: false })
  }
  checkStop(handle, request)
  if (ladder === undefined) {
    ladder = new Ladder(handle)
    ladders.set(handle, ladder)
  }
  return ladder.climb(request)
}

/** What of a child decides how it can be stopped. */
export interface Stoppable {
  /** Signals that never reach the program. */
  readonly unheard: bigint
  /** Signals that it can't handle, and that end it by their default action. */
  readonly unhandled: bigint
  readonly leadsGroup: boolean
  /** Its exit event is this process's to set. */
  readonly asksByEvent: boolean
}

/**
 * Checks what depends on the child.
 * @throws TypeError `ERR_INVALID_ARG_VALUE`; Error `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` for a tree where none can be seen.
 */
export function checkStop(child: Stoppable, { grace, signal, target }: StopRequest): void {
  if (target === 'group' && !child.leadsGroup) {
    const rule = "must not be 'group': start the child with { processGroup: true } or { detached: true }"
    throw invalidArgValue('options.target', target, rule)
  }
  if (target === 'tree') requireProcesses('What a child has started, and is to be ended with it, is found')
  // Nobody is asked where all is killed at once.
  if (signal === undefined && (child.asksByEvent || grace === 0)) return
  const number = signalNumber(signal ?? 'SIGTERM')
  const inaudible = signal === undefined ? child.unheard : child.unheard | child.unhandled
  if (!includes(inaudible, number)) return
  const rule =
    'must be a signal that the child does not ignore or block, and can handle. Give it an exit event, or name another'
  throw invalidArgValue('options.signal', signal ?? 'SIGTERM', rule)
}

class Ladder {
  readonly outcome: Promise<StopOutcome>
  readonly #child: ProcessHandle
  #target: 'process' | 'group' = 'process'
  #secondGrace = Number.POSITIVE_INFINITY
  /** The signals that it was sent. */
  readonly #told = new Set<number>()
  #tree: Tree | undefined
  #countdown: Countdown | undefined
  /** In its second grace. */
  #isLast = false
  #killed = false
  #restHasGrace = false
  /** The child has ended, and something that has come of it has not. */
  waitsForRest = false
  #fail: (error: Error) => void = () => {}

  constructor(child: ProcessHandle) {
    this.#child = child
    child.hold(true)
    this.outcome = new Promise((resolve, reject) => {
      this.#fail = reject
      child.onceEnded(({ code, signal }) => {
        this.#rest().then(() => resolve({ code, signal, forced: this.#forced(signal) }), reject)
      })
    })
  }

  /** It was ended by what it had no way to handle. */
  #forced(signal: NodeJS.Signals | null): boolean {
    if (signal === null || signal === 'SIGKILL') return signal !== null && this.#killed
    const number = signalNumber(signal)
    return this.#told.has(number) && includes(this.#child.unhandled, number)
  }

  /** What has come of the child, after it. */
  async #rest(): Promise<void> {
    if (this.#restHasGrace && !this.#killed) {
      this.waitsForRest = true
      await this.#tree?.gone(() => this.#killed)
      this.waitsForRest = false
    }
    this.#countdown?.stop()
    await this.#tree?.kill()
  }

  climb({ grace, secondGrace, signal, target, restHasGrace, sameSession = false }: StopRequest): Promise<StopOutcome> {
    if (restHasGrace) this.#restHasGrace = true
    const isWider = (target === 'tree' && this.#tree === undefined) || (target === 'group' && this.#target !== 'group')
    if (target === 'tree') this.#tree ??= new Tree(this.#child.pid as number, this.#child.ownInode, sameSession)
    if (target === 'group') {
      this.#target = target
      this.#child.killGroupAtExit()
    }
    const byEvent = this.#child.asksByEvent
    if (byEvent) this.#child.protection.exitEvent?.set()
    // To some programs a second SIGTERM means at once.
    const isAsked = signal === undefined && (byEvent || grace === 0 || (this.#told.has(SIGTERM) && !isWider))
    const errno = isAsked ? 0 : this.#send(signalNumber(signal ?? 'SIGTERM'))
    // Where the signal is all that asks, its refusal is the caller's to know.
    if (errno !== 0 && !byEvent) {
      this.#giveUp(errno)
      return this.outcome
    }
    // A stopped child acts on nothing until it goes on.
    this.#send(SIGCONT)
    this.#secondGrace = Math.min(this.#secondGrace, secondGrace)
    this.#within(this.#isLast ? Math.min(grace, secondGrace) : grace)
    return this.outcome
  }

  /** Returns 0, or the errno: ESRCH is an end that is still to be told. */
  #send(signal: number): number {
    this.#told.add(signal)
    this.#tree?.look()
    // The child first: a shell whose command ends before it is told goes on with the next one.
    const errno = this.#target === 'group' ? this.#child.killGroup(signal) : this.#child.kill(signal)
    this.#tree?.signal(signal)
    return errno === -ESRCH || (errno === -EPERM && signal === SIGCONT) ? 0 : errno
  }

  #within(ms: number): void {
    if (ms >= (this.#countdown?.remaining ?? Number.POSITIVE_INFINITY)) return
    this.#countdown?.stop()
    this.#countdown = undefined
    if (ms === 0) {
      if (this.#isLast || this.#secondGrace === 0) this.#kill()
      else this.#next()
      return
    }
    const isHeld = () => this.#child.isHeld
    this.#countdown = new Countdown(ms, isHeld, () => this.#next())
  }

  #next(): void {
    this.#countdown = undefined
    const hears = !includes(this.#child.unheard, SIGTERM) && !this.#told.has(SIGTERM)
    if (this.#isLast || !hears || this.#send(SIGTERM) !== 0) {
      this.#kill()
    } else {
      this.#send(SIGCONT)
      this.#isLast = true
      this.#within(this.#secondGrace)
    }
  }

  #kill(): void {
    const errno = this.#send(SIGKILL)
    if (errno !== 0) this.#giveUp(errno)
    else this.#killed = true
  }

  /** The child runs on, and another stop() may try again. */
  #giveUp(errno: number): void {
    this.#countdown?.stop()
    this.#child.hold(false)
    ladders.delete(this.#child)
    this.#fail(systemError(errno, 'kill'))
  }
}
