/** What a supervisor is told, and what it tells. */
import type { SpawnOptionsWithoutStdio, StdioNull, StdioPipe } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import type { ProtectOptions } from '../foreign/shield.js'
import type { ProtectedProcess } from '../protected-process.js'
import type { ProtectedProcessByStdio, ProtectedProcessWithoutNullStreams, StdioOf, TupleOptions } from '../spawn.js'
import type { ForkProtectedOptions, SpawnProtectedOptions } from '../start/plan.js'
import { type ProtectionOptions, protectionOptions } from '../start/protection-options.js'
import { type StopOptions, stopOptions } from '../stop.js'
import type { ChildOutcome, GivenUp } from './place.js'
import type { Restart } from './restart.js'

/** Used for every child that does not say otherwise. */
export interface SupervisorOptions extends Omit<ProtectionOptions, 'exitEvent' | 'waitForExec'>, StopOptions {
  /**
   * Whether a child that has ended, and was not stopped, is started again: `'always'`, or `'on-failure'` (a code other than 0, or
   * a signal). The delays grow, and after too many in a row the supervisor gives up ('give-up').
   * @default false
   */
  readonly restart?: Restart | undefined
}

export const supervisorOptions: ReadonlySet<string> = new Set([...protectionOptions, ...stopOptions, 'restart'])

/** Of one child of a supervisor. */
export const childOptions: ReadonlySet<string> = new Set([...protectionOptions, 'restart'])

/** What a supervisor's child may be given besides. */
export interface RestartOption {
  /** Over the supervisor's own. */
  readonly restart?: Restart | undefined
}

/** `spawnProtected`, with `restart`. */
export interface SupervisedSpawn {
  /**
   * Without arguments.
   * @param command - a path, or a name to be found in PATH.
   * @param options - as for `spawnProtected`, and `restart`.
   * @returns the child.
   * @throws as `spawnProtected`; Error `ERR_INVALID_STATE` when the supervisor has shut down.
   * @example
   * const supervisor = new Supervisor()
   * const child = supervisor.spawn('sh', ['-c', 'exit 3'], { restart: false })
   * const [outcome] = await once(supervisor, 'exit')
   * console.log(outcome.child === child, outcome.code) // true 3
   */
  (
    command: string,
    options?: SpawnOptionsWithoutStdio & ProtectionOptions & RestartOption,
  ): ProtectedProcessWithoutNullStreams
  /**
   * Without arguments, and with each stream known to be there, or not.
   * @param command - a path, or a name to be found in PATH.
   * @param options - as for `spawnProtected`, and `restart`.
   * @returns the child.
   * @throws as `spawnProtected`; Error `ERR_INVALID_STATE` when the supervisor has shut down.
   */
  <I extends StdioNull | StdioPipe, O extends StdioNull | StdioPipe, E extends StdioNull | StdioPipe>(
    command: string,
    options: TupleOptions<I, O, E> & RestartOption,
  ): ProtectedProcessByStdio<StdioOf<I, Writable>, StdioOf<O, Readable>, StdioOf<E, Readable>>
  /**
   * Without arguments, and with any `stdio`.
   * @param command - a path, or a name to be found in PATH.
   * @param options - as for `spawnProtected`, and `restart`.
   * @returns the child.
   * @throws as `spawnProtected`; Error `ERR_INVALID_STATE` when the supervisor has shut down.
   */
  (command: string, options: SpawnProtectedOptions & RestartOption): ProtectedProcess
  /**
   * With arguments.
   * @param command - a path, or a name to be found in PATH.
   * @param args - what it gets after its name; none by default.
   * @param options - as for `spawnProtected`, and `restart`.
   * @returns the child.
   * @throws as `spawnProtected`; Error `ERR_INVALID_STATE` when the supervisor has shut down.
   */
  (
    command: string,
    args?: readonly string[],
    options?: SpawnOptionsWithoutStdio & ProtectionOptions & RestartOption,
  ): ProtectedProcessWithoutNullStreams
  /**
   * With arguments, and with each stream known to be there, or not.
   * @param command - a path, or a name to be found in PATH.
   * @param args - what it gets after its name; none by default.
   * @param options - as for `spawnProtected`, and `restart`.
   * @returns the child.
   * @throws as `spawnProtected`; Error `ERR_INVALID_STATE` when the supervisor has shut down.
   */
  <I extends StdioNull | StdioPipe, O extends StdioNull | StdioPipe, E extends StdioNull | StdioPipe>(
    command: string,
    args: readonly string[],
    options: TupleOptions<I, O, E> & RestartOption,
  ): ProtectedProcessByStdio<StdioOf<I, Writable>, StdioOf<O, Readable>, StdioOf<E, Readable>>
  /**
   * With arguments, and with any `stdio`.
   * @param command - a path, or a name to be found in PATH.
   * @param args - what it gets after its name; none by default.
   * @param options - as for `spawnProtected`, and `restart`.
   * @returns the child.
   * @throws as `spawnProtected`; Error `ERR_INVALID_STATE` when the supervisor has shut down.
   */
  (command: string, args: readonly string[], options: SpawnProtectedOptions & RestartOption): ProtectedProcess
}

/** `forkProtected`, with `restart`. */
export interface SupervisedFork {
  /**
   * Without arguments.
   * @param modulePath - the module that the worker runs.
   * @param options - as for `forkProtected`, and `restart`.
   * @returns the child.
   * @throws as `forkProtected`; Error `ERR_INVALID_STATE` when the supervisor has shut down.
   * @example
   * const supervisor = new Supervisor()
   * supervisor.fork('worker.mjs', { restart: 'on-failure' })
   * const [{ code }] = await supervisor.shutdown()
   * console.log(code) // 0
   */
  (modulePath: string | URL, options?: ForkProtectedOptions & RestartOption): ProtectedProcess
  /**
   * With arguments.
   * @param modulePath - the module that the worker runs.
   * @param args - its `process.argv`, from the third entry on; none by default.
   * @param options - as for `forkProtected`, and `restart`.
   * @returns the child.
   * @throws as `forkProtected`; Error `ERR_INVALID_STATE` when the supervisor has shut down.
   */
  (modulePath: string | URL, args?: readonly string[], options?: ForkProtectedOptions & RestartOption): ProtectedProcess
}

/** What a supervisor has seen so far. */
export interface SupervisorCounts {
  /** Children. */
  readonly started: number
  /** Of those that started. */
  readonly ended: number
  /** Of those that ended: with a code other than 0, or by a signal. */
  readonly failed: number
  /** Of those that ended: killed when their grace was over. */
  readonly forced: number
  /** Of those that were started: in place of another. */
  readonly restarted: number
}

/** A child in place of another. */
export interface Restarted {
  /** The new one. */
  readonly child: ProtectedProcess
  /** How the old one ended. */
  readonly previous: ChildOutcome
}

/** What a {@link Supervisor} emits, with its arguments. */
export interface SupervisorEvents {
  /** A child has ended. */
  exit: [ChildOutcome]
  /** A child has been started in place of another. */
  restart: [Restarted]
  /** Children in this place have ended too often, or could not be started: there will be no other. */
  'give-up': [GivenUp]
}

/** How {@link Supervisor.restart} goes on from one child to the next. */
export interface RestartAllOptions extends StopOptions {
  /** Called with each new child; the next one is stopped when what it returns has resolved. */
  readonly ready?: ((child: ProtectedProcess) => unknown) | undefined
}

export const restartAllOptions: ReadonlySet<string> = new Set([...stopOptions, 'ready'])

/** The exit event is the supervisor's. */
export type AdoptOptions = Omit<ProtectOptions, 'exitEvent'>

/** {@link Supervisor.protect}. */
export interface AdoptingProtect {
  /**
   * All children of this thread, until it is disposed of.
   * @param options - for these children, over the supervisor's.
   * @returns what ends the protection of children that start later, by `[Symbol.dispose]()`. They stay adopted.
   * @throws as `protect()`; TypeError `ERR_INVALID_ARG_VALUE` for an exit event: it is the supervisor's.
   * @example
   * const supervisor = new Supervisor()
   * using adopting = supervisor.protect()
   * const child = exec('sleep 60') // anybody's exec
   * await supervisor.shutdown({ grace: 100 })
   * console.log(child.signalCode) // SIGTERM
   */
  (options?: AdoptOptions): Disposable
  /**
   * What `fn` starts, also later, in what it has begun.
   * @param options - for these children, over the supervisor's; null opts out.
   * @param fn - is called at once; what it begins keeps the protection.
   * @returns what `fn` returns.
   * @throws what `fn` throws, and what the form without it throws: `fn` is not called then.
   * @example
   * const supervisor = new Supervisor()
   * const child = supervisor.protect({ ignore: ['SIGINT', 'SIGHUP'] }, () => exec('sleep 60'))
   * await supervisor.shutdown({ grace: 100 })
   * console.log(child.signalCode) // SIGTERM
   */
  <T>(options: AdoptOptions | null | undefined, fn: () => T): T
}
