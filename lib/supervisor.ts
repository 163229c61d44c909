/** Many children with shared defaults and one exit event, and the recipe for a parent that is asked to leave. */
import { EventEmitter } from 'node:events'
import { ExitEvent } from './exit-event.js'
import { forkProtected } from './fork.js'
import { invalidState } from './node/errors.js'
import type { ProtectedProcess } from './protected-process.js'
import { type Signal, signalName, signalNumber } from './signal/names.js'
import { spawnProtected } from './spawn.js'
import type { ProtectionOptions } from './start/protection.js'
import { checkStop, type StopOptions, type StopOutcome } from './stop.js'

/** Used for every child that does not say otherwise. */
export interface SupervisorOptions extends Omit<ProtectionOptions, 'exitEvent'>, StopOptions {}

/** How one child of a supervisor ended. */
export interface ChildOutcome extends StopOutcome {
  readonly child: ProtectedProcess
}

/** A signal that comes again within this time is the same one, forwarded: npm and pnpm hand on what the terminal has sent already. */
const SAME_SIGNAL_MS = 1000

const DEFAULT_SIGNALS: readonly Signal[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/**
 * Starts children, and ends them together. 'exit' is emitted with the {@link ChildOutcome} of each child that ends; those that
 * ended before shutdown() while nobody listened are in its answer.
 */
export class Supervisor extends EventEmitter<{ exit: [ChildOutcome] }> {
  /** Handed to every child. */
  readonly exitEvent = new ExitEvent()
  readonly #startDefaults: ProtectionOptions
  readonly #stopDefaults: StopOptions
  readonly #children = new Set<ProtectedProcess>()
  /** Of the children that live, and of those that ended unheard. */
  readonly #outcomes = new Map<ProtectedProcess, Promise<ChildOutcome>>()
  #closing = false

  /** @throws TypeError, RangeError for the options of shutdown(); those of the children are checked when one is started. */
  constructor(options: SupervisorOptions = {}) {
    super()
    checkStop(options)
    const { grace, signal, target, ...start } = options
    this.#startDefaults = { ...start, exitEvent: this.exitEvent }
    this.#stopDefaults = { grace, signal, target }
  }

  /** Those that live. */
  get children(): ReadonlySet<ProtectedProcess> {
    return this.#children
  }

  /**
   * As {@link spawnProtected}, with all of its overloads.
   * @throws Error `ERR_INVALID_STATE` once shutdown() was called.
   */
  readonly spawn = ((command: string, args?: unknown, options?: unknown) =>
    this.#add(() => spawnProtected(command, ...this.#withDefaults(args, options)))) as typeof spawnProtected

  /**
   * As {@link forkProtected}.
   * @throws Error `ERR_INVALID_STATE` once shutdown() was called.
   */
  readonly fork = ((modulePath: string | URL, args?: unknown, options?: unknown) =>
    this.#add(() => forkProtected(modulePath, ...this.#withDefaults(args, options)))) as typeof forkProtected

  /** A wrong value is handed on as it is, to be refused. */
  #withDefaults(args: unknown, options: unknown): [readonly string[], object] {
    const hasArgs = Array.isArray(args) || args === undefined || args === null || options !== undefined
    const given = hasArgs ? options : args
    const isPlain = given === undefined || (typeof given === 'object' && given !== null && !Array.isArray(given))
    const merged = isPlain ? { ...this.#startDefaults, ...given } : given
    return [(hasArgs ? (args ?? []) : []) as readonly string[], merged as object]
  }

  #add(start: () => ProtectedProcess): ProtectedProcess {
    if (this.#closing) throw invalidState('This supervisor is shut down: it starts no more children')
    const child = start()
    // One that did not start tells so by its own 'error'.
    if (child.pid === undefined) return child
    this.#children.add(child)
    this.#outcomes.set(child, this.#outcomeOf(child))
    return child
  }

  async #outcomeOf(child: ProtectedProcess): Promise<ChildOutcome> {
    await new Promise((resolve) => child.once('exit', resolve))
    this.#children.delete(child)
    const outcome = { child, ...(await child.stop()) }
    if (this.emit('exit', outcome) && !this.#closing) this.#outcomes.delete(child)
    return outcome
  }

  /**
   * Stops all children at once, each as by `child.stop()`, and resolves when the last has exited, with how each of them ended.
   * No child can be started any more. A later call may shorten the grace; all share one answer.
   * @throws (as a rejection) what `child.stop()` throws; all other children are stopped all the same.
   */
  async shutdown(options: StopOptions = {}): Promise<ChildOutcome[]> {
    checkStop(options)
    this.#closing = true
    const definite = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
    await Promise.all([...this.#children].map((child) => child.stop({ ...this.#stopDefaults, ...definite })))
    return Promise.all(this.#outcomes.values())
  }

  /**
   * The recipe: the first of these signals shuts down, and then ends this process by the same signal's default action, so that
   * who waits for it sees it killed by that signal; process 'exit' listeners do not run then. Another signal, or the same one
   * later than a second after, kills the children that still live.
   * @param signals - default SIGINT, SIGTERM, SIGHUP
   * @returns what puts everything back as it was, by `[Symbol.dispose]()`.
   * @throws TypeError `ERR_UNKNOWN_SIGNAL`, `ERR_INVALID_ARG_TYPE`; a system error for a signal that no process can handle.
   */
  handleSignals(signals: readonly Signal[] = DEFAULT_SIGNALS): Disposable {
    const names = signals.map((signal) => signalName(signalNumber(signal)) as NodeJS.Signals)
    let first: { readonly name: string; readonly at: number } | undefined
    const listener = (name: NodeJS.Signals) => {
      if (first === undefined) {
        first = { name, at: performance.now() }
        void leave(name)
      } else if (name !== first.name || performance.now() - first.at > SAME_SIGNAL_MS) {
        void this.shutdown({ grace: 0 })
      }
    }
    const restore = () => {
      for (const name of names) process.off(name, listener)
    }
    const leave = async (name: NodeJS.Signals) => {
      await this.shutdown()
      restore()
      // The default action needs that nobody listens.
      process.removeAllListeners(name)
      process.kill(process.pid, name)
    }
    try {
      for (const name of names) process.on(name, listener)
    } catch (error) {
      restore()
      throw error
    }
    return { [Symbol.dispose]: restore }
  }
}
