/** Many children with shared defaults that start, restart and end together. It is long by what its public methods say of themselves. */
import { EventEmitter } from 'node:events'
import { checkStop } from './end/ladder.js'
import { readToTheEnd } from './end/output.js'
import { reapAsInit } from './end/reaper.js'
import { type HandleSignalsOptions, handleSignals } from './end/signals.js'
import { ExitEvent } from './exit-event.js'
import { protecting } from './foreign/protecting.js'
import { Shield } from './foreign/shield.js'
import { forkProtected } from './fork.js'
import { nextTick, setImmediate } from './node/clock.js'
import { dispose } from './node/dispose.js'
import { invalidArgType, invalidState, isOptions, ownOptions } from './node/errors.js'
import { ofChildProcess, warnOfMisspelt } from './node/misspelt.js'
import type { ProtectedProcess } from './protected-process.js'
import type { Signal } from './signal/names.js'
import { spawnProtected } from './spawn.js'
import type { ProtectionOptions } from './start/protection-options.js'
import { unstarted } from './start/unstarted.js'
import { type StopOptions, type StopRequest, stopRequest } from './stop.js'
import { Adopted } from './supervise/adopted.js'
import { allOf } from './supervise/all.js'
import { adoptedOptions, checkTogether, defaultIgnore, definite } from './supervise/defaults.js'
import {
  type AdoptingProtect,
  type AdoptOptions,
  childOptions,
  type RestartAllOptions,
  restartAllOptions,
  type SupervisedFork,
  type SupervisedSpawn,
  type SupervisorCounts,
  type SupervisorEvents,
  type SupervisorOptions,
  supervisorOptions,
} from './supervise/options.js'
import { type ChildOutcome, type GivenUp, Place } from './supervise/place.js'

/** What of a start's options matters here. */
type SharedOptions = ProtectionOptions & { readonly signal?: AbortSignal }

type Starter = (file: string | URL, args: unknown, options: unknown) => ProtectedProcess

/** Of children that ended while nobody listened, the last are kept whole for shutdown(). */
const KEPT_OUTCOMES = 100

const CLOSED = 'This supervisor is shut down: it starts no more children'

/**
 * Starts children, starts them again if it is told to, and ends them together. Events: {@link SupervisorEvents}.
 * @example
 * const supervisor = new Supervisor({ grace: 5000, restart: 'on-failure' })
 * supervisor.handleSignals()
 * for (let i = 0; i < 3; i += 1) supervisor.fork('worker.mjs')
 * const outcomes = await supervisor.shutdown()
 * console.log(outcomes.map(({ code }) => code).join()) // 0,0,0
 */
export class Supervisor extends EventEmitter<SupervisorEvents> {
  /**
   * Asks all children, also those that start later, and none is started again. Each has one of its own, which is set with this one
   * or by its own stop().
   */
  readonly exitEvent = new ExitEvent()
  readonly #startDefaults: ProtectionOptions
  readonly #stopDefaults: StopOptions
  readonly #restart: unknown
  readonly #places = new Set<Place>()
  readonly #children = new Set<ProtectedProcess>()
  readonly #adopted = new Adopted()
  readonly #unheard: ChildOutcome[] = []
  readonly #counts = { started: 0, ended: 0, failed: 0, forced: 0, restarted: 0 }
  /** What this process handles for this supervisor. */
  readonly #handled = new Set<readonly number[]>()
  #state: 'open' | 'closing' | 'closed' = 'open'
  #lastRestart: Promise<unknown> = Promise.resolve()
  #answer: Promise<ChildOutcome[]> = Promise.resolve([])

  /**
   * A supervisor without children.
   * @param options - for every child that does not say otherwise; how they are stopped, and whether they are started again.
   * @throws TypeError, RangeError for options that are wrong by themselves, or together; Error `ERR_DLOPEN_FAILED`,
   * `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` where there is no addon.
   * @example
   * const supervisor = new Supervisor({ ignore: ['SIGINT', 'SIGTERM'], grace: 10_000 })
   * console.log(supervisor.counts.started) // 0
   */
  constructor(options: SupervisorOptions = {}) {
    super()
    const { grace, signal, target, restart, ...start } = ownOptions('options', options) as SupervisorOptions
    warnOfMisspelt(start, supervisorOptions, ofChildProcess)
    this.#startDefaults = definite(start)
    this.#stopDefaults = definite({ grace, signal, target })
    this.#restart = restart
    checkTogether(this.#startDefaults, this.#stopDefaults, restart)
    reapAsInit()
    this.exitEvent.signal.addEventListener('abort', () => {
      for (const place of this.#places) place.tell()
    })
  }

  /** The children that live. */
  get children(): ReadonlySet<ProtectedProcess> {
    return this.#children
  }

  /** Whether it has begun to shut down, or has shut down: it starts no children any more. */
  get closing(): boolean {
    return this.#state !== 'open'
  }

  /** What it has seen so far. */
  get counts(): SupervisorCounts {
    return { ...this.#counts }
  }

  /**
   * As {@link spawnProtected}, with all of its overloads, and `restart`. While the supervisor shuts down nothing is started, so
   * that a program that starts a child at each exit goes on: the child has no pid, and no event is ever emitted for it.
   */
  readonly spawn = ((command: string, args?: unknown, options?: unknown) =>
    this.#add(spawnProtected as Starter, command, args, options)) as SupervisedSpawn

  /** As {@link forkProtected}, and otherwise as {@link spawn}. */
  readonly fork = ((modulePath: string | URL, args?: unknown, options?: unknown) =>
    this.#add(forkProtected as Starter, modulePath, args, options)) as SupervisedFork

  #add(starter: Starter, file: string | URL, args: unknown, options: unknown): ProtectedProcess {
    const hasArgs = Array.isArray(args) || args === undefined || args === null || options !== undefined
    const given = (hasArgs ? options : args) ?? {}
    const argList = hasArgs ? (args ?? []) : []
    if (this.#state === 'closed') throw invalidState(CLOSED)
    if (this.#state === 'closing') return unstarted(() => starter(file, argList, given))
    // A wrong value is handed on as it is, to be refused.
    if (!isOptions(given)) return starter(file, argList, given)
    const { restart = this.#restart, ...own } = definite(ownOptions('options', given)) as SharedOptions & {
      restart?: unknown
    }
    warnOfMisspelt(own, childOptions, ofChildProcess)
    const start = definite<SharedOptions>({ ...this.#startDefaults, ...own })
    const merged = definite({ ...defaultIgnore(start, this.#stopDefaults, [...this.#handled].flat()), ...start })
    const policy = checkTogether(merged, this.#stopDefaults, restart)
    const starts = (exitEvent: ExitEvent) => starter(file, argList, { exitEvent, ...merged })
    const place = new Place(starts, policy, this.#listener, merged.signal)
    const child = place.start()
    // One that starts later finds it set.
    if (this.exitEvent.isSet()) place.tell()
    return child
  }

  /**
   * As {@link protect}, and adopts these children: {@link shutdown} ends them too, with their trees, and {@link handleSignals}. Each has
   * an exit event of its own, which is set with this supervisor's. They are their owners’: it neither tells of their
   * exits nor restarts them.
   * @param options - for these children, over the supervisor's.
   * @param fn - what starts them; all that this thread starts without it.
   * @returns as {@link protect}.
   * @throws as {@link protect}; TypeError `ERR_INVALID_ARG_VALUE` for an exit event: it is the supervisor's.
   */
  readonly protect = ((options: AdoptOptions | null = {}, fn?: () => unknown) =>
    protecting(options, fn, (given) => {
      const merged = adoptedOptions(given, this.#startDefaults, this.#stopDefaults, this.exitEvent)
      return new Shield(merged, this.#adopted)
    })) as AdoptingProtect

  readonly #listener = {
    started: (place: Place, child: ProtectedProcess) => {
      // What a leader leaves behind when it crashes too.
      if (this.#stopDefaults.target === 'group') place.handle?.killGroupAtExit()
      this.#places.add(place)
      this.#children.add(child)
      this.#counts.started += 1
    },
    restarted: (child: ProtectedProcess, previous: ChildOutcome) => {
      this.#counts.restarted += 1
      void this.#tell('restart', { child, previous })
    },
    left: (child: ProtectedProcess) => void this.#children.delete(child),
    ended: (outcome: ChildOutcome) => {
      this.#counts.ended += 1
      if (outcome.code !== 0) this.#counts.failed += 1
      if (outcome.forced) this.#counts.forced += 1
      if (this.#state === 'open' && this.listenerCount('exit') === 0) {
        this.#unheard.push(outcome)
        if (this.#unheard.length > KEPT_OUTCOMES) this.#unheard.shift()
      }
      return this.#tell('exit', outcome)
    },
    gaveUp: (outcome: GivenUp) => void this.#tell('give-up', outcome),
    isOver: (place: Place) => {
      this.#places.delete(place)
    },
  }

  /** What a listener throws is an 'uncaughtException', and reaches nothing of ours. */
  #tell<Name extends keyof SupervisorEvents>(name: Name, ...event: SupervisorEvents[Name]): Promise<void> {
    return new Promise((resolve) => {
      nextTick(() => {
        resolve()
        ;(this as EventEmitter).emit(name, ...event)
      })
    })
  }

  /**
   * Ends one child after the other, and starts another in its place. Calls take turns. A shutdown cuts it short.
   * @param options - how each is stopped, and when the next one's turn is.
   * @returns the new children.
   * @throws (as a rejection) as {@link shutdown}; what `ready` throws, or the start of a child; Error `ERR_INVALID_STATE` when a
   * new child has ended before it was ready, or the supervisor has shut down. The others stay as they are then.
   * @example
   * const supervisor = new Supervisor()
   * supervisor.fork('worker.mjs')
   * const [child] = await supervisor.restart({ ready: (worker) => once(worker, 'spawn') })
   * console.log(supervisor.children.has(child)) // true
   * await supervisor.shutdown()
   */
  async restart(options: RestartAllOptions = {}): Promise<ProtectedProcess[]> {
    const given = ownOptions('options', options) as RestartAllOptions
    warnOfMisspelt(given, restartAllOptions)
    const { ready, ...stop } = given
    if (ready !== undefined && typeof ready !== 'function') {
      throw invalidArgType('options.ready', 'of type function', ready)
    }
    const request = stopRequest({ ...this.#stopDefaults, ...definite(stop) })
    for (const { handle } of this.#places) if (handle) checkStop(handle, request)
    if (this.#state === 'closed') throw invalidState(CLOSED)
    const restart = this.#lastRestart.then(() => this.#restartAll(request, ready))
    // The next goes on whatever becomes of this one.
    this.#lastRestart = restart.catch(() => {})
    return restart
  }

  async #restartAll(request: StopRequest, ready: RestartAllOptions['ready']): Promise<ProtectedProcess[]> {
    const children = []
    for (const place of [...this.#places]) {
      if (this.closing) break
      const child = await place.replace(request)
      if (child === undefined) continue
      children.push(child)
      if (ready) await Promise.race([ready(child), this.#endedTooSoon(place)])
    }
    return children
  }

  /** Resolves at a shutdown. */
  async #endedTooSoon(place: Place): Promise<void> {
    await place.outcome
    if (!this.closing) throw invalidState('A new child has ended before it was ready: the others were not restarted')
  }

  /**
   * Stops all children at once, each as by `child.stop()`, and resolves when the last has exited, with how each of them ended,
   * and how the last of those did that ended before while nobody listened to 'exit'. No child can be started any more. A later
   * call may shorten the grace; all share one answer.
   * @param options - over those of this supervisor.
   * @returns how the children ended.
   * @throws (as a rejection) TypeError, RangeError as `child.stop()`: then nothing is stopped; when all others have gone, the
   * system error of `kill` (`EPERM`) of a child that can't be ended, or an AggregateError of those of several, without a code.
   * @example
   * const supervisor = new Supervisor()
   * supervisor.spawn('sleep', ['60'], { ignore: ['SIGINT', 'SIGTERM'] })
   * const [outcome] = await supervisor.shutdown({ grace: 100 })
   * console.log(outcome.signal, outcome.forced) // SIGKILL true
   */
  async shutdown(options: StopOptions = {}): Promise<ChildOutcome[]> {
    const request = stopRequest({ ...this.#stopDefaults, ...definite(ownOptions('options', options)) })
    const places = [...this.#places]
    for (const { handle } of places) if (handle) checkStop(handle, request)
    this.#adopted.check(request)
    if (this.#state === 'open') {
      this.#state = 'closing'
      const living = places.flatMap(({ outcome }) => outcome ?? [])
      this.#answer = Promise.all(living).then((outcomes) => [...this.#unheard, ...outcomes])
      for (const place of places) place.close()
      this.exitEvent.set()
    }
    await allOf([...places.map((place) => place.stop(request)), ...this.#adopted.stop(request)])
    const outcomes = await this.#answer
    // Who waits for the same exits, and starts another, is not late yet; nor is anybody where a signal ends the process.
    setImmediate(() => {
      if (this.#handled.size === 0) this.#state = 'closed'
    }).unref()
    return outcomes
  }

  /**
   * The recipe: the first of these signals shuts this supervisor down, and every other that handles signals; then this process
   * ends by the same signal's default action, so that who waits for it sees it killed by that signal. A third press within a
   * second, or any signal later than that, kills the children that still live. Children that are started from now on ignore these
   * signals by default.
   *
   * Where the application has listeners of its own for the signal, they run, and the process ends when the event loop is empty, or
   * when they end it. Process 'exit' listeners do not run, unless the signal can't end the process (as process 1 of a container):
   * then it exits with 128 + its number.
   * @param options - the signals, by default SIGINT, SIGTERM and SIGHUP, or an object with them and a hook.
   * @returns what puts everything back as it was, by `[Symbol.dispose]()`.
   * @throws TypeError `ERR_UNKNOWN_SIGNAL`, `ERR_INVALID_ARG_TYPE`; a system error for a signal that no process can handle; Error
   * `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` in a worker thread, which gets no signals; TypeError `ERR_INVALID_ARG_VALUE` for a real-time
   * signal, to which Node has no listeners.
   * @example
   * const supervisor = new Supervisor()
   * using handling = supervisor.handleSignals({ before: () => console.log('leaving') })
   * console.log(process.listenerCount('SIGTERM')) // 1
   */
  handleSignals(options: readonly Signal[] | HandleSignalsOptions = {}): Disposable {
    const handling = handleSignals(options, {
      shutdown: async () => {
        const adopted = this.#adopted.children
        const own = (await this.shutdown()).map(({ child }) => child)
        await readToTheEnd([...own, ...adopted])
      },
      kill: () => this.shutdown({ grace: 0 }),
    })
    this.#handled.add(handling.signals)
    return {
      [dispose]: () => {
        this.#handled.delete(handling.signals)
        handling[dispose]()
      },
    }
  }
}
