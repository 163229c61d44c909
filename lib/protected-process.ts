/** A ChildProcess over our own native process. */
import { AsyncResource } from 'node:async_hooks'
import { constants } from 'node:os'
import { EXIT_FD_VARIABLE, EXIT_INODE_VARIABLE, type ExitEvent, type ReadEnd } from './exit-event.js'
import { NEW_PIPE, NO_DESCRIPTOR, native, type SpawnResult, startProcess } from './native.js'
import {
  ChildProcessWithoutHandle,
  checkPermission,
  endChild,
  type HandleSpawnOptions,
  handleSpawnOptions,
  type NodeProcessHandle,
  pipeIsForgottenAfter,
  type StdioEntry,
  startChild,
} from './node-child-process.js'
import { type SpawnPlan, text } from './options.js'
import { signalName } from './signals.js'
import { Stop, type StopOptions, type StopOutcome, type Stoppable } from './stop.js'

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

/** Children that live, by the id of the exit watcher: this keeps them from being collected. */
const living = new Map<number, Handle>()

native.onExit((id, code, signal, userCPUTime, systemCPUTime, maxRSS) => {
  living.get(id)?.exited(code, signal, { userCPUTime, systemCPUTime, maxRSS: maxRSS ?? undefined })
})

/** What Node's code drives in place of its own process handle. */
class Handle extends AsyncResource implements NodeProcessHandle {
  readonly #child: ProtectedProcess
  /** Until it is spawned: what a child that lives does not need is not kept for each. */
  #plan: SpawnPlan | undefined
  #id: number | undefined
  #keepsAlive = true
  pid?: number
  enforced = false
  failedStep: string | undefined
  resourceUsage: ResourceUsage | undefined

  constructor(child: ProtectedProcess, plan: SpawnPlan) {
    super('PROCESSWRAP')
    this.#child = child
    this.#plan = plan
  }

  onexit(exitCode: number | null, signal?: string | null): void {
    endChild(this.#child, exitCode, signal, this.failedStep)
  }

  spawn(...args: unknown[]): number {
    const options = handleSpawnOptions(args)
    const plan = this.#plan as SpawnPlan
    this.#plan = undefined
    checkPermission(options.file)
    // libuv's own rule for a number that names none.
    if (options.stdio.some((entry) => sourceOf(entry) === -1)) {
      return this.#refused(options, 'fcntl', -constants.errno.EINVAL)
    }
    const { exitEvent } = plan.protection
    const readEnd = exitEvent?.readEnd()
    if (readEnd && readEnd.errno !== 0) return this.#refused(options, 'pipe2', readEnd.errno)
    const result = startPlan(plan, options, readEnd)
    readEnd?.release()
    this.enforced = result.enforced
    if (result.errno !== 0) return this.#refused(options, result.step, result.errno)
    this.pid = result.pid
    this.#id = result.id
    living.set(result.id, this)
    return 0
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
    return this.#id === undefined ? -constants.errno.ESRCH : native.kill(this.#id, signal)
  }

  get running(): boolean {
    return this.#id !== undefined
  }

  killGroup(signal: number): number {
    return this.#id === undefined ? -constants.errno.ESRCH : native.killGroup(this.#id, signal)
  }

  killGroupAtExit(): void {
    if (this.#id !== undefined) native.killGroupAtExit(this.#id)
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
    native.keepAlive(this.#id, on)
  }

  #forget(): void {
    if (this.#id !== undefined) living.delete(this.#id)
    this.#id = undefined
  }

  close(): void {
    this.#forget()
  }
}

function startPlan(plan: SpawnPlan, options: HandleSpawnOptions, readEnd: ReadEnd | undefined): SpawnResult {
  const { protection, argumentTexts } = plan
  const { inheritEnvironment } = protection
  const { descriptors, changes } = handOver(options, readEnd)
  const envPairs = options.envPairs.map(text)
  const result = startProcess({
    file: options.file,
    arguments: argumentTexts,
    environment: inheritEnvironment ? null : envPairs,
    environmentChanges: inheritEnvironment ? [...envPairs, ...changes] : changes,
    directory: typeof options.cwd === 'string' ? text(options.cwd) : '',
    descriptors,
    ignored: protection.ignored,
    blocked: protection.blocked,
    enforcement: protection.enforcement,
    processGroup: protection.processGroup,
    foreground: protection.foreground,
    parentDeathSignal: protection.parentDeathSignal,
    newSession: options.detached,
    uid: options.uid ?? null,
    gid: options.gid ?? null,
  })
  openPipes(options, descriptors)
  return result
}

/** After a failure too: the streams that Node makes of them then see their end. */
function openPipes(options: HandleSpawnOptions, descriptors: readonly number[]): void {
  for (const [i, { type, handle }] of options.stdio.entries()) {
    const fd = descriptors[i] as number
    if (type !== 'wrap' && fd >= 0) handle?.open(fd)
  }
}

/** The descriptor of ours that an entry names, as the 32-bit integer that libuv makes of it. */
function sourceOf({ type, fd, handle }: StdioEntry): number | undefined {
  if (type === 'wrap') return handle?.fd
  return type === 'fd' || type === 'inherit' ? Number(fd) | 0 : undefined
}

/** The child's descriptors and the variables that name the exit event: after the stdio, at 3 or above. */
function handOver(options: HandleSpawnOptions, readEnd: ReadEnd | undefined) {
  const sources = options.stdio.map((entry) => {
    if (entry.type === 'pipe' || entry.type === 'overlapped') return NEW_PIPE
    // libuv takes any negative number for none.
    return Math.max(sourceOf(entry) ?? NO_DESCRIPTOR, NO_DESCRIPTOR)
  })
  if (readEnd === undefined) {
    // A variable that this process inherited itself would name a descriptor that the child does not get.
    return { descriptors: sources, changes: [EXIT_FD_VARIABLE, EXIT_INODE_VARIABLE] }
  }
  const changes = [`${EXIT_FD_VARIABLE}=${sources.length}`, `${EXIT_INODE_VARIABLE}=${readEnd.inode}`]
  return { descriptors: [...sources, readEnd.fd], changes }
}

/**
 * A `child_process.ChildProcess` in every respect, whose process ignores or blocks what it was told to.
 * Made by `spawnProtected` and `forkProtected` only.
 */
export class ProtectedProcess extends ChildProcessWithoutHandle {
  readonly #handle: Handle
  readonly #exitEvent: ExitEvent | undefined
  readonly #unheard: bigint
  readonly #leadsGroup: boolean
  #stop: Stop | undefined

  /** @internal */
  constructor(plan: SpawnPlan) {
    super()
    this.#handle = new Handle(this, plan)
    const { exitEvent, ignored, blocked } = plan.protection
    this.#exitEvent = exitEvent
    this.#unheard = blocked === 0n ? ignored : ignored | blocked
    this.#leadsGroup = plan.leadsGroup
    startChild(this, this.#handle, plan.spawn)
  }

  /** The exit event that the child was given. */
  get exitEvent(): ExitEvent | undefined {
    return this.#exitEvent
  }

  /** Whether the system keeps the child, and every descendant, from undoing what it ignores. */
  get enforced(): boolean {
    return this.#handle.enforced
  }

  /**
   * Ends the child and resolves when it has exited. It is asked by its exit event, which asks all children that share it, or by
   * a signal; made to go on if it is stopped; and killed when its grace is over. Calls share one outcome.
   * @throws (as a rejection) TypeError `ERR_INVALID_ARG_VALUE` for a signal that the child ignores or blocks, so for the default
   * too where it has no exit event and ignores SIGTERM, or for a group that it does not lead; `ERR_INVALID_ARG_TYPE`,
   * `ERR_UNKNOWN_SIGNAL`, RangeError `ERR_OUT_OF_RANGE`; a system error of `kill` (`EPERM`). The child runs on then.
   */
  async stop(options: StopOptions = {}): Promise<StopOutcome> {
    if (!this.#handle.running) {
      const code = this.pid === undefined ? null : this.exitCode
      return this.#stop?.outcome ?? { code, signal: this.signalCode, forced: false }
    }
    this.#stop ??= new Stop(this.#stoppable())
    return this.#stop.request(options)
  }

  #stoppable(): Stoppable {
    const handle = this.#handle
    return {
      exitEvent: this.exitEvent,
      unheard: this.#unheard,
      leadsGroup: this.#leadsGroup,
      send: (signal, target) => (target === 'group' ? handle.killGroup(signal) : handle.kill(signal)),
      killGroupAtExit: () => handle.killGroupAtExit(),
      onceExited: (listener) => this.once('exit', listener),
    }
  }

  /** Undefined until the child has exited. */
  get resourceUsage(): ResourceUsage | undefined {
    return this.#handle.resourceUsage
  }
}
