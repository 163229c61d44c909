/**
 * Node's internal ChildProcess contract, all of it: how a ChildProcess is made without Node's own process handle, what
 * `ChildProcess.prototype.spawn` asks of the handle, and what Node's handle does when the process ends
 * (lib/internal/child_process.js and src/process_wrap.cc of Node 20 to 26).
 */
import { ChildProcess } from 'node:child_process'
import { channel } from 'node:diagnostics_channel'
import { EventEmitter } from 'node:events'
import { constants } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import { nextTick } from './clock.js'
import { systemError, unavailable } from './errors.js'

/** One entry of the table that Node makes of `stdio`. */
export interface StdioEntry {
  readonly type: 'ignore' | 'pipe' | 'overlapped' | 'wrap' | 'inherit' | 'fd'
  readonly fd?: number
  /** Node's own stream handle: for a pipe still without a descriptor. */
  readonly handle?: { readonly fd: number; open(fd: number): number; close(): void }
}

/** What Node hands to the handle, the same on every version. */
export interface HandleSpawnOptions {
  readonly file: string
  readonly args?: readonly unknown[] | undefined
  /** Text, or bytes that Node ignores. */
  readonly cwd?: unknown
  /** Undefined: the environment of this process. */
  readonly envPairs?: readonly string[] | undefined
  readonly stdio: readonly StdioEntry[]
  readonly detached: boolean
  readonly uid?: number | null | undefined
  readonly gid?: number | null | undefined
}

/** What Node expects of `child._handle`. Results are 0 or a negative errno. */
export interface NodeProcessHandle {
  pid?: number
  /** Called by Node too, with a negative errno, for a start that it tells of by an 'error' event. */
  onexit(exitCode: number | null, signal?: string | null): void
  spawn(...args: unknown[]): number
  kill(signal: number): number
  ref(): void
  unref(): void
  hasRef(): boolean
  close(): void
}

/** The fields of a ChildProcess that Node's own code reads and writes. */
export interface Internals extends EventEmitter {
  _handle: NodeProcessHandle | null
  _closesNeeded: number
  _closesGot: number
  connected: boolean
  killed: boolean
  exitCode: number | null
  signalCode: string | null
  spawnfile: string | null
  spawnargs?: unknown[]
  stdin?: Writable | null
  stdio?: (Readable | Writable | null)[]
}

const created = channel('child_process')

function BareChildProcess(this: Internals): void {
  EventEmitter.call(this)
  this._closesNeeded = 1
  this._closesGot = 0
  this.connected = false
  this.signalCode = null
  this.exitCode = null
  this.killed = false
  this.spawnfile = null
}
BareChildProcess.prototype = ChildProcess.prototype
Object.setPrototypeOf(BareChildProcess, ChildProcess)

/**
 * A base class with ChildProcess's prototype whose constructor leaves out Node's own handle: one that never spawns is never
 * freed. {@link startChild} gives it ours.
 */
export const ChildProcessWithoutHandle = BareChildProcess as unknown as new () => ChildProcess

/** The step of a start that failed, and why the guard was refused. */
export interface FailedStep {
  readonly step: string
  readonly why?: string
}

/** What to do, where a refusal has one likely cause. */
function adviceFor({ step, why }: FailedStep, code: string | undefined): string {
  if (step === 'seccomp') {
    return ": the system gives no seccomp filter, so the child could undo what it ignores. Pass { enforce: false } or 'auto' to start it all the same"
  }
  if (step === 'guard') {
    return `: the guard can’t cover it: ${why}. Pass another 'enforce' to start it without the guard`
  }
  if (step === 'clone' && code === 'EINVAL') {
    return ": the system refuses the flags of clone(2), which is probably user-mode emulation (qemu-user, also behind docker's --platform). Run a Node of the machine's own architecture, or emulate the whole machine"
  }
  return ''
}

/** Adds the system call that failed to an error in Node's own shape. */
export function withStep(error: NodeJS.ErrnoException, failed: FailedStep | undefined): NodeJS.ErrnoException {
  if (failed === undefined) return error
  error.message += adviceFor(failed, error.code)
  return Object.assign(error, { step: failed.step })
}

/** What {@link startChild} asks of a handle beyond Node's own part. */
export interface StartedHandle extends NodeProcessHandle {
  /** Node has called spawn(). */
  readonly asked: boolean
  /** It is to start nothing, and nobody is to be told. */
  readonly isUnstarted: boolean
  readonly failed: FailedStep | undefined
}

/**
 * Runs Node's own spawn over `handle`. A refusal by the system is an 'error' event or an exception, as Node has it for the
 * same errno.
 */
export function startChild(process: ChildProcess, handle: StartedHandle, options: object): void {
  const child = process as unknown as Internals
  child._handle = handle
  if (created.hasSubscribers && !handle.isUnstarted) created.publish({ process })
  try {
    ;(ChildProcess.prototype as unknown as { spawn(options: object): number }).spawn.call(child, options)
  } catch (error) {
    throw withStep(error as NodeJS.ErrnoException, handle.failed)
  }
  if (!handle.asked) throw unknownNode()
}

/** In place of a step: nobody is told of this end. */
export const UNTOLD = Symbol('untold')

/** What Node's own handle does in `onexit`. A negative exit code is an errno: nothing was started. */
export function endChild(
  ended: ChildProcess,
  exitCode: number | null,
  signal: string | null | undefined,
  failed: FailedStep | undefined | typeof UNTOLD,
): void {
  const child = ended as unknown as Internals
  if (signal) {
    child.signalCode = signal
  } else {
    child.exitCode = exitCode
  }
  child.stdin?.destroy()
  child._handle?.close()
  child._handle = null
  try {
    if (failed !== UNTOLD) tellEnd(ended, exitCode, failed)
  } finally {
    // A listener that throws holds back nothing.
    nextTick(drainUntouchedOutput, child)
    if (failed !== UNTOLD) child._closesGot += 1
    if (child._closesGot === child._closesNeeded) child.emit('close', child.exitCode, child.signalCode)
  }
}

function tellEnd(ended: ChildProcess, exitCode: number | null, failed: FailedStep | undefined): void {
  if (exitCode === null || exitCode >= 0) {
    const child = ended as unknown as Internals
    child.emit('exit', child.exitCode, child.signalCode)
    return
  }
  tellRefusal(ended, exitCode, failed)
}

/** As 'error', with the shape of a start that fails. */
export function tellRefusal(refused: ChildProcess, errno: number, failed: FailedStep | undefined): void {
  const child = refused as unknown as Internals
  const error = systemError(errno, child.spawnfile ? `spawn ${child.spawnfile}` : 'spawn')
  if (child.spawnfile) error.path = child.spawnfile
  Object.assign(error, { spawnargs: child.spawnargs?.slice(1) })
  child.emit('error', withStep(error, failed))
}

/** On the next tick, so that an 'exit' listener may still start reading: what nobody reads would hold back 'close'. */
function drainUntouchedOutput(child: Internals): void {
  for (const stream of child.stdio ?? []) {
    if (stream && 'readable' in stream && stream.readable && !isStdioOfAnotherChild(stream)) stream.resume()
  }
}

/** Node marks a stream that it gave to another child as stdio with a symbol of its own. */
function isStdioOfAnotherChild(stream: object): boolean {
  const mark = Object.getOwnPropertySymbols(stream).find((symbol) => symbol.description === 'kIsUsedAsStdio')
  return mark !== undefined && Boolean((stream as Record<symbol, unknown>)[mark])
}

/** The bit of the flags argument (kProcessFlagDetached of src/process_wrap.h). */
const DETACHED = 1

/**
 * One options object up to Node 22 and in the first of 24; eight positional arguments since.
 * @param given - What Node's spawn was called with: what it asks for must be that, or this is another Node than we know. Undefined
 * where others may have changed it on the way.
 * @throws Error `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM`.
 */
export function handleSpawnOptions(args: readonly unknown[], given: object | undefined): HandleSpawnOptions {
  const asked = args.length === 1 ? (args[0] as HandleSpawnOptions) : fromPositional(args)
  const expected = (given ?? asked) as HandleSpawnOptions
  const holds =
    asked?.file === expected.file &&
    asked.args === expected.args &&
    asked.envPairs === expected.envPairs &&
    asked.cwd === expected.cwd &&
    asked.detached === expected.detached &&
    asked.uid === expected.uid &&
    asked.gid === expected.gid &&
    typeof asked.file === 'string' &&
    Array.isArray(asked.stdio) &&
    Array.isArray(asked.envPairs ?? [])
  if (!holds) throw unknownNode()
  return asked
}

function fromPositional(args: readonly unknown[]): HandleSpawnOptions {
  const [file, argv, cwd, envPairs, stdio, flags, uid, gid] = args
  const detached = ((flags as number) & DETACHED) !== 0
  return { file, args: argv, cwd, envPairs, stdio, detached, uid, gid } as HandleSpawnOptions
}

function unknownNode(): Error {
  return unavailable(
    `sigshield does not know the ChildProcess of Node ${process.versions.node}: it is made for Node 20, 22, 24 and 26. ` +
      'Use one of these, or a newer sigshield.',
  )
}

const { EACCES, EAGAIN, EMFILE, ENFILE, ENOENT } = constants.errno
const emitted = new Set([EACCES, EAGAIN, EMFILE, ENFILE, ENOENT])

/**
 * Whether Node's spawn forgets the stream handle that it made for an entry: all after EMFILE and ENFILE, where it returns at
 * once, and 'overlapped' ones where it throws, as its clean-up looks for 'pipe' alone.
 */
export function pipeIsForgottenAfter(errno: number, type: StdioEntry['type']): boolean {
  if (errno === -EMFILE || errno === -ENFILE) return true
  return type === 'overlapped' && errno !== 0 && !emitted.has(-errno)
}
