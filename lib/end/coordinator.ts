/**
 * The one place in this process that acts on its ending signals, however many supervisors take part. The application's own
 * listeners go on beside it, and are never removed or cut off.
 */
import { constants } from 'node:os'
import { native } from '../native/load.js'
import { clearInterval, nextTick, setInterval, setTimeout } from '../node/clock.js'
import { sectionOf } from '../signal/scopes.js'
import { Presses } from './presses.js'

export interface Participant {
  /** Asked once, at the first signal. Resolves when it is over; must not reject. */
  leave(signal: NodeJS.Signals): Promise<void>
  /** Whoever waits at the terminal has pressed again: end it now. */
  hurry(): void
}

/** One that only keeps what it has from outliving this process unheard: it acts where nobody else does, and after all who do. */
export interface Follower extends Participant {
  /** The application handles the signal itself. */
  spare(signal: NodeJS.Signals): void
  /** This process ends now. */
  abandon(): void
}

/** How long the hooks of signal-exit may take to end the process by the signal that they are handed. */
const HOOKS_MS = 1000

/** Signals whose default action ends no process (signal(7)). */
const ENDS_NOTHING = ['SIGCHLD', 'SIGCONT', 'SIGURG', 'SIGWINCH', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU']

/** The request that is under way. */
interface Request {
  readonly signal: NodeJS.Signals
  readonly presses: Presses
  /** Whether there were others than followers. */
  readonly isLed: boolean
  /** The application listens too: it decides when the process ends. */
  isShared: boolean
  readonly keepsAlive: NodeJS.Timeout
  readonly exitCode: typeof process.exitCode
  isHurried: boolean
  areFollowersAsked: boolean
  /** Of the participants that have not left yet. */
  waiting: number
}

class Coordinator {
  readonly #participants = new Map<Participant, readonly NodeJS.Signals[]>()
  readonly #listening = new Map<NodeJS.Signals, () => void>()
  #request: Request | undefined

  /**
   * Of one that takes part already: it takes these signals.
   * @throws a system error for a signal that no process can handle; then nothing is changed.
   */
  add(participant: Participant, signals: readonly NodeJS.Signals[]): void {
    const before = new Set(this.#listening.keys())
    try {
      for (const signal of signals) this.#listen(signal)
    } catch (error) {
      for (const signal of this.#listening.keys()) if (!before.has(signal)) this.#unlisten(signal)
      throw error
    }
    if (this.#participants.size === 0) native().rememberTerminal()
    const isKnown = this.#participants.has(participant)
    this.#participants.set(participant, signals)
    if (this.#request && !isKnown && !isFollower(participant)) void this.#ask(this.#request, participant)
  }

  remove(participant: Participant): void {
    this.#participants.delete(participant)
    const needed = new Set([...this.#participants.values()].flat())
    for (const signal of this.#listening.keys()) if (!needed.has(signal)) this.#unlisten(signal)
  }

  /** First in line: a listener for once is still to be seen there. */
  #listen(signal: NodeJS.Signals): void {
    if (this.#listening.has(signal)) return
    if (this.#listening.size === 0) process.on('removeListener', this.#removed)
    // What `process.emit('SIGINT')` hands over is not the signal.
    const listener = () => this.#heard(signal)
    process.prependListener(signal, listener)
    this.#listening.set(signal, listener)
  }

  #unlisten(signal: NodeJS.Signals): void {
    const listener = this.#listening.get(signal) as () => void
    this.#listening.delete(signal)
    process.off(signal, listener)
    if (this.#listening.size === 0) process.off('removeListener', this.#removed)
  }

  /** Who removes all listeners of a signal means the application's: without ours it would end this process alone. */
  readonly #removed = (name: string | symbol, removed: unknown) => {
    const signal = name as NodeJS.Signals
    const listener = this.#listening.get(signal)
    if (listener === undefined || listener !== removed) return
    nextTick(() => {
      if (this.#listening.get(signal) === listener) process.prependListener(signal, listener)
    })
  }

  /** Whether this process ends by the signal though there are listeners: followers' alone, and hooks that do nothing else. */
  endsAllTheSame(signal: NodeJS.Signals): boolean {
    const isLed = [...this.#participants].some(([one, signals]) => !isFollower(one) && signals.includes(signal))
    const count = process.listenerCount(signal)
    return !isLed && count > 0 && count === (this.#listening.has(signal) ? 1 : 0) + hooksOfSignalExit()
  }

  get #leaders(): Participant[] {
    return [...this.#participants.keys()].filter((one) => !isFollower(one))
  }

  get #followers(): Follower[] {
    return [...this.#participants.keys()].filter(isFollower)
  }

  #heard(signal: NodeJS.Signals): void {
    const isShared = process.listenerCount(signal) > 1 + hooksOfSignalExit()
    const request = this.#request
    if (request) {
      if (request.isShared && !isShared) this.#takeBack(request)
      else if (request.presses.isAnother(signal)) this.#hurry(request)
      return
    }
    const isLed = this.#leaders.length > 0
    if (isShared) for (const follower of this.#followers) follower.spare(signal)
    if (isLed || !isShared) this.#begin(signal, isShared, isLed)
  }

  /** The application has cleaned up, and has raised the signal again without a listener of its own: the end is ours. */
  #takeBack(request: Request): void {
    request.isShared = false
    if (request.waiting === 0) this.#haveLeft(request)
  }

  #begin(signal: NodeJS.Signals, isShared: boolean, isLed: boolean): void {
    this.#request = {
      signal,
      isShared,
      isLed,
      presses: new Presses(signal),
      keepsAlive: setInterval(() => {}, 2 ** 30),
      exitCode: process.exitCode,
      isHurried: false,
      areFollowersAsked: !isLed,
      waiting: 0,
    }
    // The application's own listeners speak first.
    nextTick((request: Request) => {
      for (const participant of isLed ? this.#leaders : this.#followers) void this.#ask(request, participant)
      // They have withdrawn while those listened.
      if (request.waiting === 0) this.#haveLeft(request)
    }, this.#request)
  }

  async #ask(request: Request, participant: Participant): Promise<void> {
    request.waiting += 1
    await participant.leave(request.signal)
    request.waiting -= 1
    if (request.waiting === 0) this.#haveLeft(request)
  }

  #hurry(request: Request): void {
    if (request.isHurried || request.waiting === 0) {
      this.#end(request)
      return
    }
    request.isHurried = true
    for (const participant of this.#participants.keys()) participant.hurry()
  }

  #haveLeft(request: Request): void {
    // Everybody has withdrawn: the process is the application's again.
    if (request.isLed && this.#leaders.length === 0) {
      clearInterval(request.keepsAlive)
      this.#request = undefined
      return
    }
    const followers = this.#followers
    if ((!request.isShared || request.isHurried) && !request.areFollowersAsked && followers.length > 0) {
      request.areFollowersAsked = true
      for (const follower of followers) void this.#ask(request, follower)
      return
    }
    clearInterval(request.keepsAlive)
    if (!request.isShared || request.isHurried) {
      this.#end(request)
    } else {
      process.once('beforeExit', () => {
        // A code that the application has set meanwhile is its own word.
        if (process.exitCode === request.exitCode) this.#end(request)
      })
    }
  }

  /**
   * As the signal's default action would, so after a section of hold() that the application is in: who waits for this process sees it
   * killed by that signal.
   */
  #end(request: Request): void {
    const { signal } = request
    const number = constants.signals[signal]
    const section = sectionOf(number)
    if (section) {
      void section.then(() => this.#end(request))
      return
    }
    for (const follower of this.#followers) follower.abandon()
    native().resetTerminal()
    if (ENDS_NOTHING.includes(signal)) process.exit(128 + number)
    for (const other of this.#listening.keys()) this.#unlisten(other)
    const hooks = hooksOfSignalExit()
    if (hooks > 0 && process.listenerCount(signal) === hooks) {
      // They run, and then end the process by the signal themselves.
      setTimeout(() => process.exit(128 + number), HOOKS_MS)
      process.kill(process.pid, signal)
      return
    }
    native().raiseDefault(number)
    process.exit(128 + number)
  }
}

function isFollower(participant: Participant): participant is Follower {
  return 'abandon' in participant
}

/** Listeners of signal-exit 3 and 4, by the counts that they keep for each other: they act only when nobody else listens. */
function hooksOfSignalExit(): number {
  const count = (emitter: unknown) => (emitter as { count?: number } | undefined)?.count ?? 0
  const version4 = (globalThis as Record<symbol, unknown>)[Symbol.for('signal-exit emitter')]
  const version3 = (process as unknown as Record<string, unknown>).__signal_exit_emitter__
  return count(version4) + count(version3)
}

/** One for the process, by which copy of the library ever it is reached. */
const KEY = Symbol.for('sigshield.coordinator')

export function coordinator(): Pick<Coordinator, 'add' | 'remove' | 'endsAllTheSame'> {
  const shared = process as unknown as Record<symbol, Coordinator | undefined>
  shared[KEY] ??= new Coordinator()
  return shared[KEY]
}
