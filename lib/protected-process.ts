/** A ChildProcess over our own native process. */
import { AsyncResource } from 'node:async_hooks'
import { constants } from 'node:os'
import { EXIT_FD_VARIABLE, EXIT_INODE_VARIABLE, type ExitEvent } from './exit-event.js'
import { NEW_PIPE, NO_DESCRIPTOR, native } from './native.js'
import {
  ChildProcessWithoutHandle,
  checkPermission,
  type HandleSpawnOptions,
  handleSpawnOptions,
  type NodeProcessHandle,
  pipeIsForgottenAfter,
  type StdioEntry,
  startChild,
} from './node-child-process.js'
import type { SpawnPlan } from './options.js'
import { signalName } from './signals.js'

/** What a child has used of the machine when it has exited (getrusage(2)). */
export interface ResourceUsage {
  /** Microseconds. */
  readonly userCPUTime: number
  /** Microseconds. */
  readonly systemCPUTime: number
  /** Bytes. */
  readonly maxRSS: number
}

/** Children that live, by the id of the exit watcher: this keeps them from being collected. */
const living = new Map<number, Handle>()

native.onExit((id, code, signal, userCPUTime, systemCPUTime, maxRSS) => {
  living.get(id)?.exited(code, signal, { userCPUTime, systemCPUTime, maxRSS })
})

/** What Node's code drives in place of its own process handle. */
class Handle extends AsyncResource implements NodeProcessHandle {
  readonly #plan: SpawnPlan
  #id: number | undefined
  #keepsAlive = true
  pid?: number
  enforced = false
  failedStep: string | undefined
  resourceUsage: ResourceUsage | undefined
  onexit: NodeProcessHandle['onexit'] = () => {}

  constructor(plan: SpawnPlan) {
    super('PROCESSWRAP')
    this.#plan = plan
  }

  spawn(...args: unknown[]): number {
    const options = handleSpawnOptions(args)
    checkPermission(options.file)
    const { protection } = this.#plan
    const { descriptors, changes } = handOver(options, protection.exitEvent)
    // libuv's own rule for a number that names none.
    if (options.stdio.some((entry) => sourceOf(entry) === -1)) {
      this.failedStep = 'fcntl'
      return -constants.errno.EINVAL
    }
    const envPairs = terminated(options.envPairs)
    const inherit = protection.inheritEnvironment
    const result = native.spawn({
      file: options.file,
      arguments: terminated(this.#plan.argumentTexts),
      environment: inherit ? null : envPairs,
      environmentChanges: inherit ? envPairs + changes : changes,
      directory: typeof options.cwd === 'string' ? options.cwd : '',
      descriptors,
      ignored: protection.ignored,
      blocked: protection.blocked,
      enforcement: protection.enforcement,
      newSession: options.detached,
      uid: options.uid ?? null,
      gid: options.gid ?? null,
    })
    this.#openPipes(options, descriptors, result.errno)
    this.enforced = result.enforced
    if (result.id === undefined || result.pid === undefined) {
      this.failedStep = result.step
      return result.errno
    }
    this.pid = result.pid
    this.#id = result.id
    living.set(result.id, this)
    return 0
  }

  /** After a failure too: the streams that Node makes of them then see their end. */
  #openPipes(options: HandleSpawnOptions, descriptors: Int32Array, errno: number): void {
    for (const [i, { type, handle }] of options.stdio.entries()) {
      if (handle === undefined || type === 'wrap') continue
      const fd = descriptors[i] as number
      if (fd >= 0) handle.open(fd)
      if (pipeIsForgottenAfter(errno, type)) handle.close()
    }
  }

  exited(code: number | null, signal: number | null, usage: ResourceUsage): void {
    this.resourceUsage = usage
    this.#forget()
    this.runInAsyncScope(this.onexit, undefined, code, signal === null ? null : signalName(signal))
    this.emitDestroy()
  }

  kill(signal: number): number {
    return this.#id === undefined ? -constants.errno.ESRCH : native.kill(this.#id, signal)
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

/** The descriptor of ours that an entry names, as the 32-bit integer that libuv makes of it. */
function sourceOf({ type, fd, handle }: StdioEntry): number | undefined {
  if (type === 'wrap') return handle?.fd
  return type === 'fd' || type === 'inherit' ? Number(fd) | 0 : undefined
}

/** The child's descriptors and the variables that name the exit event: after the stdio, at 3 or above. */
function handOver(options: HandleSpawnOptions, exitEvent: ExitEvent | undefined) {
  const sources = options.stdio.map((entry) => {
    if (entry.type === 'pipe' || entry.type === 'overlapped') return NEW_PIPE
    // libuv takes any negative number for none.
    return Math.max(sourceOf(entry) ?? NO_DESCRIPTOR, NO_DESCRIPTOR)
  })
  const readEnd = exitEvent?.readEnd
  if (readEnd === undefined) {
    // A variable that this process inherited itself would name a descriptor that the child does not get.
    return { descriptors: Int32Array.from(sources), changes: terminated([EXIT_FD_VARIABLE, EXIT_INODE_VARIABLE]) }
  }
  const changes = terminated([`${EXIT_FD_VARIABLE}=${sources.length}`, `${EXIT_INODE_VARIABLE}=${readEnd.inode}`])
  return { descriptors: Int32Array.from([...sources, readEnd.fd]), changes }
}

function terminated(strings: readonly string[]): string {
  return strings.length === 0 ? '' : `${strings.join('\0')}\0`
}

/**
 * A `child_process.ChildProcess` in every respect, whose process ignores or blocks what it was told to.
 * Made by `spawnProtected` and `forkProtected` only.
 */
export class ProtectedProcess extends ChildProcessWithoutHandle {
  readonly #handle: Handle
  /** The exit event that the child was given. */
  readonly exitEvent: ExitEvent | undefined

  /** @internal */
  constructor(plan: SpawnPlan) {
    super()
    this.#handle = new Handle(plan)
    this.exitEvent = plan.protection.exitEvent
    startChild(this, this.#handle, plan.spawn)
  }

  /** Whether the system keeps the child, and every descendant, from undoing what it ignores. */
  get enforced(): boolean {
    return this.#handle.enforced
  }

  /** Undefined until the child has exited. */
  get resourceUsage(): ResourceUsage | undefined {
    return this.#handle.resourceUsage
  }
}
