/** What Node's code drives in place of its own process handle: over any ChildProcess, whoever made it. */
import { AsyncResource } from 'node:async_hooks'
import type { ChildProcess } from 'node:child_process'
import { constants } from 'node:os'
import type { ReadEnd } from '../event/source.js'
import { sourceOf } from '../exit-event.js'
import { native } from '../native/load.js'
import { type SpawnResult, text, Wire } from '../native/wire.js'
import {
  endChild,
  type HandleSpawnOptions,
  handleSpawnOptions,
  pipeIsForgottenAfter,
  type StartedHandle,
} from '../node/child-process-contract.js'
import { checkPermission } from '../node/permission.js'
import { signalName } from '../signal/names.js'
import { handOver, namesNone, openPipes } from './descriptors.js'
import { hasOwnGroup, optionFields, type Protection, unheardSignals } from './protection.js'

/** What a child has used of the machine when it has exited (getrusage(2)). */
export interface ResourceUsage {
  /** Microseconds. */
  readonly userCPUTime: number
  /** Microseconds. */
  readonly systemCPUTime: number
  /**
   * Bytes: the most that it held in memory. Undefined when that is not known: the kernel counts what its parent held when the
   * child was started as the child's own, so only more than the parent has ever held tells of the child.
   */
  readonly maxRSS: number | undefined
}

/** What a caller has prepared of a start. */
export interface Prepared {
  /** What Node's spawn is called with. */
  readonly spawn: object
  /** The arguments as the program gets them. */
  readonly argumentTexts?: readonly string[]
  /** The environment is this process's own, and what Node hands over are additions to it. */
  readonly inheritEnvironment?: boolean
}

/** Children that live, by the id of the exit watcher: this keeps them from being collected. */
const living = new Map<number, ProcessHandle>()

let wire: Wire<typeof optionFields> | undefined

function openWire(): Wire<typeof optionFields> {
  const opened = new Wire(optionFields)
  native().onExit((id, code, signal, userCPUTime, systemCPUTime, maxRSS) => {
    living.get(id)?.exited(code, signal, { userCPUTime, systemCPUTime, maxRSS: maxRSS ?? undefined })
  })
  return opened
}

export class ProcessHandle extends AsyncResource implements StartedHandle {
  readonly #child: ChildProcess
  readonly protection: Protection
  /** Until it is spawned: what a child that lives does not need is not kept for each. */
  #prepared: Prepared | undefined
  #id: number | undefined
  #keepsAlive = true
  pid?: number
  enforced = false
  #inForce = 0n
  /** The child's process group has its own number. */
  leadsGroup = false
  failedStep: string | undefined
  resourceUsage: ResourceUsage | undefined

  constructor(child: ChildProcess, protection: Protection, prepared: Prepared) {
    super('PROCESSWRAP')
    this.#child = child
    this.protection = protection
    this.#prepared = prepared
  }

  get unheard(): bigint {
    return unheardSignals(this.protection) | this.#inForce
  }

  get running(): boolean {
    return this.#id !== undefined
  }

  onexit(exitCode: number | null, signal?: string | null): void {
    endChild(this.#child, exitCode, signal, this.failedStep)
  }

  get asked(): boolean {
    return this.#prepared === undefined
  }

  spawn(...args: unknown[]): number {
    const prepared = this.#prepared as Prepared
    this.#prepared = undefined
    const options = handleSpawnOptions(args, prepared.spawn)
    checkPermission(options.file)
    if (options.stdio.some(namesNone)) return this.#refused(options, 'fcntl', -constants.errno.EINVAL)
    const readEnd = sourceOf(this.protection.exitEvent)?.readEnd()
    if (readEnd && readEnd.errno !== 0) return this.#refused(options, 'pipe2', readEnd.errno)
    const result = this.#start(options, prepared, readEnd)
    readEnd?.release()
    this.enforced = result.enforced
    this.#inForce = result.inForce
    if (result.errno !== 0) return this.#refused(options, result.step, result.errno)
    this.leadsGroup = options.detached || hasOwnGroup(this.protection)
    this.pid = result.pid
    this.#id = result.id
    living.set(result.id, this)
    return 0
  }

  #start(options: HandleSpawnOptions, prepared: Prepared, readEnd: ReadEnd | undefined): SpawnResult {
    const { argumentTexts = options.args.map(text), inheritEnvironment = false } = prepared
    const { descriptors, changes } = handOver(options.stdio, readEnd)
    const envPairs = options.envPairs.map(text)
    wire ??= openWire()
    const result = wire.start({
      options: this.protection.numbers,
      file: options.file,
      arguments: argumentTexts,
      environment: inheritEnvironment ? null : envPairs,
      environmentChanges: inheritEnvironment ? [...envPairs, ...changes] : changes,
      directory: typeof options.cwd === 'string' ? text(options.cwd) : '',
      descriptors,
      newSession: options.detached,
      uid: options.uid ?? null,
      gid: options.gid ?? null,
      groups: this.protection.groups,
    })
    openPipes(options.stdio, descriptors)
    return result
  }

  #refused(options: HandleSpawnOptions, step: string, errno: number): number {
    for (const { type, handle } of options.stdio) {
      if (type !== 'wrap' && pipeIsForgottenAfter(errno, type)) handle?.close()
    }
    this.failedStep = step
    return errno
  }

  exited(code: number | null, signal: number | null, usage: ResourceUsage): void {
    this.resourceUsage = usage
    this.#forget()
    this.runInAsyncScope(this.onexit, this, code, signal === null ? null : signalName(signal))
    this.emitDestroy()
  }

  kill(signal: number): number {
    return this.#id === undefined ? -constants.errno.ESRCH : native().kill(this.#id, signal)
  }

  killGroup(signal: number): number {
    return this.#id === undefined ? -constants.errno.ESRCH : native().killGroup(this.#id, signal)
  }

  killGroupAtExit(): void {
    if (this.#id !== undefined) native().killGroupAtExit(this.#id)
  }

  ref(): void {
    this.#keepAlive(true)
  }

  unref(): void {
    this.#keepAlive(false)
  }

  hasRef(): boolean {
    return this.#id !== undefined && this.#keepsAlive
  }

  #keepAlive(on: boolean): void {
    if (this.#id === undefined) return
    this.#keepsAlive = on
    native().keepAlive(this.#id, on)
  }

  #forget(): void {
    if (this.#id !== undefined) living.delete(this.#id)
    this.#id = undefined
  }

  close(): void {
    this.#forget()
  }
}
