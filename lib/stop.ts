/** Ending a child: it is asked, and killed when its grace is over. */
import { constants } from 'node:os'
import { sourceOf } from './exit-event.js'
import { checkMilliseconds, invalidArgType, invalidArgValue, systemError } from './node/errors.js'
import { includes, type Signal, signalNumber } from './signal/names.js'
import type { ProcessHandle } from './start/process-handle.js'

export interface StopOptions {
  /**
   * Milliseconds from now until SIGKILL; Infinity: never. A later call may shorten it.
   * @default 5000
   */
  readonly grace?: number | undefined
  /** Sent as well as setting the exit event. @default none with an exit event, else 'SIGTERM' */
  readonly signal?: Signal | undefined
  /**
   * `'group'`: signals go to the whole process group that the child leads, and what is left of it when the child has exited is
   * killed.
   * @default 'process'
   */
  readonly target?: 'process' | 'group' | undefined
}

/** How a child ended. `forced`: it had to be killed. */
export interface StopOutcome {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly forced: boolean
}

/** Checks what can be checked without a child. */
export function checkStop({ grace, signal, target }: StopOptions): void {
  if (grace !== undefined) checkMilliseconds('options.grace', grace)
  if (signal !== undefined) signalNumber(signal)
  if (target !== undefined && target !== 'process' && target !== 'group') {
    throw invalidArgType('options.target', "'process' or 'group'", target)
  }
}

const DEFAULT_GRACE_MS = 5000
const { SIGCONT, SIGKILL } = constants.signals

/** The stop of one child, however many ask for it. */
export class Stop {
  readonly outcome: Promise<StopOutcome>
  readonly #child: ProcessHandle
  #deadline = Number.POSITIVE_INFINITY
  #timer: NodeJS.Timeout | undefined
  #target: 'process' | 'group' = 'process'
  #killed = false

  constructor(
    child: ProcessHandle,
    onceExited: (listener: (code: number | null, signal: NodeJS.Signals | null) => void) => void,
  ) {
    this.#child = child
    this.outcome = new Promise((resolve) => {
      onceExited((code, signal) => {
        clearTimeout(this.#timer)
        resolve({ code, signal, forced: this.#killed && signal === 'SIGKILL' })
      })
    })
  }

  request(options: StopOptions): Promise<StopOutcome> {
    checkStop(options)
    const { grace = DEFAULT_GRACE_MS, signal, target = 'process' } = options
    const child = this.#child
    const { exitEvent } = child.protection
    const asksByEvent = sourceOf(exitEvent)?.settable === true
    const number = signal === undefined && asksByEvent ? undefined : this.#audible(signal ?? 'SIGTERM')
    this.#aim(target)
    if (asksByEvent) exitEvent?.set()
    if (number !== undefined) this.#send(number)
    // A stopped child acts on nothing until it goes on.
    this.#send(SIGCONT)
    this.#killAfter(grace)
    return this.outcome
  }

  #audible(signal: Signal): number {
    const number = signalNumber(signal)
    if (!includes(this.#child.unheard, number)) return number
    const rule = 'must be a signal that the child does not ignore or block. Give it an exit event, or name another'
    throw invalidArgValue('options.signal', signal, rule)
  }

  #aim(target: 'process' | 'group'): void {
    if (target === 'process') return
    if (!this.#child.leadsGroup) {
      const rule = "must not be 'group': start the child with { processGroup: true } or { detached: true }"
      throw invalidArgValue('options.target', target, rule)
    }
    this.#target = 'group'
    this.#child.killGroupAtExit()
  }

  #send(signal: number): void {
    const errno = this.#deliver(signal)
    if (errno !== 0 && errno !== -constants.errno.ESRCH) throw systemError(errno, 'kill')
  }

  #deliver(signal: number): number {
    return this.#target === 'group' ? this.#child.killGroup(signal) : this.#child.kill(signal)
  }

  /** A child that has become somebody else can't be killed; nobody waits for an answer here. */
  #kill(): void {
    this.#killed = this.#deliver(SIGKILL) === 0
  }

  #killAfter(limit: number): void {
    const deadline = performance.now() + limit
    if (deadline >= this.#deadline) return
    this.#deadline = deadline
    clearTimeout(this.#timer)
    if (limit === 0) {
      this.#kill()
    } else {
      this.#timer = setTimeout(() => this.#kill(), limit).unref()
    }
  }
}
