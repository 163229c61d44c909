/**
 * From what a caller may write to what the layers below take. Node's own options keep Node's rules: values are checked here
 * at little cost, and one that looks wrong is shown to `child_process` itself, which refuses it in its own words.
 */
import childProcess, { type ForkOptions, type SpawnOptions } from 'node:child_process'
import { channel } from 'node:diagnostics_channel'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import { types } from 'node:util'
import { isMainThread } from 'node:worker_threads'
import { checkInteger, checkMilliseconds, invalidArgType, invalidArgValue, unavailable } from './errors.js'
import { ExitEvent } from './exit-event.js'
import { Enforcement } from './native.js'
import { includes, type Signal, signalNumber, signalSet } from './signals.js'

/** What sigshield adds to the options of `child_process`. */
export interface ProtectionOptions {
  /**
   * Signals that the child ignores from its first instruction on: SIG_IGN; all others start with SIG_DFL.
   * @default ['SIGINT']
   */
  readonly ignore?: readonly Signal[] | undefined
  /**
   * The child's signal mask. A blocked signal waits until the program unblocks it, and many never do.
   * @default []
   */
  readonly block?: readonly Signal[] | undefined
  /**
   * Keep the child and its descendants from undoing `ignore` (seccomp). `true`: fail to start where the system has no such
   * filter; `'auto'`: start without it, see `enforced`; `false`: never, and a Node child undoes what it ignores at start-up.
   * @default 'auto' for spawnProtected, true for forkProtected
   */
  readonly enforce?: boolean | 'auto' | undefined
  /** Handed to the child, which sees it as `exitEvent()` of `sigshield/child` or at the descriptor `SIGSHIELD_EXIT_FD`. */
  readonly exitEvent?: ExitEvent | undefined
  /**
   * `true`: the child leads a process group of its own; a number: it joins that group. A terminal's Ctrl-C no longer reaches it,
   * and as a background process it is stopped when it reads from the terminal (SIGTTIN; tcsetpgrp(3)).
   * @default false, the parent's group
   */
  readonly processGroup?: boolean | number | undefined
  /**
   * The child's process group, its own unless `processGroup` says otherwise, holds the terminal until it exits or is stopped.
   * A system error (`step` 'open') where there is no controlling terminal.
   * @default false
   */
  readonly foreground?: boolean | undefined
  /**
   * The signal that the kernel sends the child when its parent dies, however it dies; `true` is SIGKILL. From the main thread
   * only: the kernel takes the end of the starting thread for the parent's. A setuid program loses it (PR_SET_PDEATHSIG(2const)).
   * @default false
   */
  readonly parentDeathSignal?: Signal | boolean | undefined
  /**
   * Milliseconds from 'exit' until the pipes that descendants still hold are closed, so that 'close' comes. Go's WaitDelay.
   * @default undefined: 'close' waits for them, as with `child_process`
   */
  readonly drain?: number | undefined
}

export type SpawnProtectedOptions = SpawnOptions & ProtectionOptions
export type ForkProtectedOptions = ForkOptions & ProtectionOptions

/** What is ours of a start, complete. */
export interface Protection {
  readonly ignored: bigint
  readonly blocked: bigint
  readonly enforcement: Enforcement
  readonly exitEvent: ExitEvent | undefined
  /** 0: a new one; null: the parent's. */
  readonly processGroup: number | null
  readonly foreground: boolean
  /** 0: none. */
  readonly parentDeathSignal: number
  /** The child's environment is this process's own, handed through natively, and envPairs are additions to it. */
  readonly inheritEnvironment: boolean
}

/** All that a start needs: `spawn` is what Node's ChildProcess.prototype.spawn takes. */
export interface SpawnPlan {
  readonly spawn: object
  /** The arguments as the program gets them; `spawn.args` are as the caller gave them, for `spawnargs`. */
  readonly argumentTexts: readonly string[]
  readonly protection: Protection
  /** The child's process group has its own number. */
  readonly leadsGroup: boolean
  readonly timeout: number
  readonly drain: number | undefined
  readonly signal: AbortSignal | undefined
  readonly killSignal: NodeJS.Signals | number | undefined
}

const DEFAULT_IGNORED = signalSet('options.ignore', ['SIGINT'])

function enforcement(enforce: unknown): Enforcement {
  if (enforce === true) return Enforcement.required
  if (enforce === false) return Enforcement.off
  if (enforce === 'auto') return Enforcement.ifAvailable
  throw invalidArgType('options.enforce', "true, false or 'auto'", enforce)
}

function protectionOf(
  options: ProtectionOptions,
  defaultEnforce: true | 'auto',
  inheritEnvironment: boolean,
): Protection {
  const { ignore, block, enforce = defaultEnforce, exitEvent } = options
  if (exitEvent !== undefined && !(exitEvent instanceof ExitEvent)) {
    throw invalidArgType('options.exitEvent', 'an instance of ExitEvent', exitEvent)
  }
  const ignored = ignore === undefined ? DEFAULT_IGNORED : signalSet('options.ignore', ignore)
  const foreground = flag('options.foreground', options.foreground)
  return {
    ignored,
    blocked: block === undefined ? 0n : signalSet('options.block', block),
    enforcement: enforcement(enforce),
    exitEvent,
    processGroup: processGroup(options.processGroup) ?? (foreground ? 0 : null),
    foreground,
    parentDeathSignal: parentDeathSignal(options.parentDeathSignal, ignored),
    inheritEnvironment,
  }
}

function flag(name: string, value: unknown): boolean {
  if (value !== undefined && typeof value !== 'boolean') throw invalidArgType(name, 'of type boolean', value)
  return value ?? false
}

function processGroup(group: unknown): number | null {
  if (group === undefined || group === false) return null
  if (group === true) return 0
  if (typeof group !== 'number') throw invalidArgType('options.processGroup', 'a boolean or a process group id', group)
  return checkInteger('options.processGroup', group, 1, 2 ** 31 - 1)
}

function parentDeathSignal(signal: unknown, ignored: bigint): number {
  if (signal === undefined || signal === false) return 0
  const number = signalNumber(signal === true ? 'SIGKILL' : signal)
  if (includes(ignored, number)) {
    const rule = "must not be a signal of 'options.ignore': the child would live on"
    throw invalidArgValue('options.parentDeathSignal', signal, rule)
  }
  if (!isMainThread) {
    throw unavailable(
      'parentDeathSignal works on the main thread only: the kernel would send it at the end of this worker thread. ' +
        'Start the child from the main thread, or give it an exit event, which its parent sets by its death too',
    )
  }
  return number
}

/** Node publishes the options of a start here, from Node 24 on. */
const starting = channel('tracing:child_process.spawn:start')

/** As they were when this was loaded: a program may put ours, or a mock, in their place. */
const nodes = { ...childProcess }

class Accepted extends Error {}

/**
 * Has `child_process` check arguments without starting anything: its spawn checks `signal` after all that its callers pass
 * and `killSignal` after that, and both of these throw.
 */
const poison = {
  signal: new Proxy({} as AbortSignal, {
    has() {
      throw new Accepted()
    },
  }),
  killSignal: Symbol('never a signal') as unknown as number,
}

/** Throws what Node throws for these arguments, if it does. */
function letNodeCheck(start: () => unknown): void {
  try {
    start()
  } catch (error) {
    if (!(error instanceof Accepted)) throw error
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isText = (value: unknown): value is string => typeof value === 'string' && !value.includes('\0')
const isAbsent = (value: unknown): value is null | undefined => value === null || value === undefined
const isInt32 = (value: unknown) => typeof value === 'number' && value === (value | 0)
const isBoolean = (value: unknown) => typeof value === 'boolean'
const isSignal = (value: unknown) =>
  typeof value === 'string'
    ? value.toUpperCase() in constants.signals
    : Object.values(constants.signals).includes(value as number)

/** Each true only for values that Node takes; with any other the call is shown to Node. */
const rules: Readonly<Record<string, ((value: unknown) => boolean) | null | undefined>> = {
  __proto__: null,
  cwd: isText,
  detached: isBoolean,
  uid: isInt32,
  gid: isInt32,
  shell: (value) => isBoolean(value) || isText(value),
  argv0: isText,
  windowsHide: isBoolean,
  windowsVerbatimArguments: isBoolean,
  timeout: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
}

/** The overloads of spawn: (file), (file, options), (file, args), (file, args, options). */
function overload(args: unknown, options: unknown): { args: readonly unknown[]; options: unknown } {
  if (Array.isArray(args)) return { args, options }
  return isAbsent(args) ? { args: [], options } : { args: [], options: args }
}

/** An object that inherits nothing: one by Object.create(null) is a dictionary to the engine, and slow. */
const Bare = function Bare() {} as unknown as new () => SpawnProtectedOptions & Record<string, unknown>
Bare.prototype = Object.create(null)

export function planSpawn(
  file: string,
  argsOrOptions: unknown,
  lastOptions: unknown,
  defaultEnforce: true | 'auto',
): SpawnPlan {
  const { args, options: given } = overload(argsOrOptions, lastOptions)
  // Nothing can be poisoned here, and nothing needs to be: neither can be anything else than refused.
  if (!isAbsent(argsOrOptions) && typeof argsOrOptions !== 'object') nodes.spawn(file, argsOrOptions as string[])
  if (given !== undefined && !isObject(given)) nodes.spawn(file, args as string[], given as unknown as object)
  const options = Object.assign(new Bare(), given)
  checkAsNode(file, args, options)
  const env = environmentOf(file, args, options)
  // Who subscribes is shown the whole environment, and may change it.
  const inheritEnvironment = env === liveEnvironment && !starting.hasSubscribers
  const envPairs = inheritEnvironment ? [] : environmentPairs(env, options.env)
  checkEndsAsNode(file, args, options)
  const protection = protectionOf(options, defaultEnforce, inheritEnvironment)
  const { shell, argv0 } = options
  const program = shell ? (typeof shell === 'string' ? shell : '/bin/sh') : file
  const programArgs = shell ? ['-c', [file, ...args].join(' ')] : args
  const argv = [typeof argv0 === 'string' ? argv0 : program, ...programArgs]
  // Converted here, as Node's own conversion fails where its streams are made already.
  const argumentTexts = argv.map(text)
  options.file = program
  options.args = argv
  options.cwd = isAbsent(options.cwd) ? options.cwd : (pathOf(options.cwd) as string)
  options.detached = Boolean(options.detached)
  options.windowsHide = Boolean(options.windowsHide)
  options.windowsVerbatimArguments = Boolean(options.windowsVerbatimArguments)
  options.envPairs = envPairs
  return {
    spawn: options,
    argumentTexts,
    protection,
    leadsGroup: protection.processGroup === 0 || Boolean(options.detached),
    timeout: options.timeout ?? 0,
    drain: options.drain === undefined ? undefined : checkMilliseconds('options.drain', options.drain),
    signal: options.signal,
    killSignal: options.killSignal as NodeJS.Signals | number | undefined,
  }
}

/** What Node checks before it looks at the environment. */
function checkAsNode(file: unknown, args: readonly unknown[], options: Record<string, unknown>): void {
  let suspicious = !isText(file) || file === '' || args.some((arg) => typeof arg === 'string' && !isText(arg))
  for (const name in options) suspicious ||= !isAbsent(options[name]) && rules[name]?.(options[name]) === false
  // With arguments for a shell, Node has a deprecation warning of its own to give.
  if (!suspicious && !(options.shell && args.length > 0)) return
  letNodeCheck(() => nodes.spawn(file as string, args as string[], { ...options, ...poison }))
}

/** What Node checks after it. */
function checkEndsAsNode(file: string, args: readonly unknown[], options: Record<string, unknown>): void {
  const { signal, killSignal } = options
  if (signal !== undefined && !(isObject(signal) && 'aborted' in signal)) {
    letNodeCheck(() => nodes.spawn(file, args as string[], { ...options, killSignal: poison.killSignal }))
  }
  if (!isAbsent(killSignal) && !isSignal(killSignal)) {
    letNodeCheck(() => nodes.execFile('/', { killSignal: killSignal as number, signal: poison.signal }))
  }
}

/** As the C++ half of Node's spawn turns a value into text: symbols throw, and a NUL ends it. */
export function text(value: unknown): string {
  const string = `${value as string}`
  const end = string.indexOf('\0')
  return end < 0 ? string : string.slice(0, end)
}

/** A path as Node hands it on: only of URLs it makes text. */
function pathOf(path: unknown): unknown {
  return typeof path === 'string' || types.isUint8Array(path) ? path : fileURLToPath(path as URL)
}

/** Whether JavaScript's process.env is still a live view of the C environment: not in a worker, not when it was replaced. */
const liveEnvironment = (() => {
  const { env } = process
  if (!isMainThread || types.isProxy(env)) return undefined
  try {
    // Only the live view refuses accessors; an ordinary object takes this one.
    Object.defineProperty(env, 'SIGSHIELD_PROBE', { get: () => undefined, configurable: true })
    Reflect.deleteProperty(env, 'SIGSHIELD_PROBE')
    return undefined
  } catch {
    return env
  }
})()

/** Under the permission model Node adds its flags to the NODE_OPTIONS of children: in the very object that it is given. */
function environmentOf(file: string, args: readonly unknown[], options: SpawnProtectedOptions): NodeJS.ProcessEnv {
  const env = options.env || process.env
  if (!process.permission) return env
  // Node counts inherited keys of an environment that it is given.
  const copy: NodeJS.ProcessEnv = options.env ? Object.create(options.env) : { ...env }
  letNodeCheck(() => nodes.spawn(file, args as string[], { ...options, env: copy, ...poison }))
  return copy
}

/** Node's rules: inherited keys count, undefined values don't, and coverage reaches children with an environment of their own. */
function environmentPairs(env: NodeJS.ProcessEnv, given: NodeJS.ProcessEnv | undefined): string[] {
  const pairs: string[] = []
  for (const key in env) {
    const value = env[key]
    if (value === undefined) continue
    const pair = `${key}=${value}`
    if (pair.includes('\0')) letNodeCheck(() => nodes.spawn('/', { env, ...poison }))
    pairs.push(pair)
  }
  const coverage = process.env.NODE_V8_COVERAGE
  if (coverage && given && !Object.hasOwn(given, 'NODE_V8_COVERAGE')) pairs.push(`NODE_V8_COVERAGE=${coverage}`)
  return pairs
}

/** fork's own part: the arguments for Node, and an IPC channel among the stdio. */
export function planFork(modulePath: string | URL, argsOrOptions: unknown, lastOptions: unknown): SpawnPlan {
  const { args, options: given } = overload(argsOrOptions, lastOptions)
  // As in planSpawn, these can only be refused.
  const isRefused = !isAbsent(argsOrOptions) && typeof argsOrOptions !== 'object'
  if (isRefused || (!isAbsent(given) && !isObject(given))) {
    nodes.fork(modulePath, argsOrOptions as string[], lastOptions as object)
  }
  const options: ForkProtectedOptions & Record<string, unknown> = Object.assign(Object.create(null), given)
  const execPath = options.execPath || process.execPath
  const execArgv = (options.execArgv || ownExecArgv()) as unknown
  const plain =
    isText(modulePath) &&
    isText(execPath) &&
    Array.isArray(execArgv) &&
    execArgv.every(isText) &&
    (isAbsent(options.stdio) || (Array.isArray(options.stdio) && options.stdio.includes('ipc')))
  if (!plain) letNodeCheck(() => nodes.fork(modulePath, args as string[], { ...options, ...poison }))
  const nodeArgs = [...(execArgv as unknown[]), pathOf(modulePath), ...args]
  return planSpawn(execPath, nodeArgs, { ...options, stdio: stdioWithIpc(options), shell: false }, true)
}

/** Without the code of `node -e`, or the child would run it again instead of its module. */
function ownExecArgv(): string[] {
  const { execArgv } = process
  const code = (process as unknown as { _eval?: string })._eval
  const index = code === undefined ? -1 : execArgv.lastIndexOf(code)
  return index > 0 ? execArgv.toSpliced(index - 1, 2) : execArgv
}

function stdioWithIpc({ stdio, silent }: ForkOptions): unknown[] {
  if (Array.isArray(stdio)) return stdio
  const all = typeof stdio === 'string' ? stdio : silent ? 'pipe' : 'inherit'
  return all === 'inherit' ? [0, 1, 2, 'ipc'] : [all, all, all, 'ipc']
}
