/** From the arguments of a call to all that a start needs. */
import type { ForkOptions, SpawnOptions } from 'node:child_process'
import { channel } from 'node:diagnostics_channel'
import { native } from '../native/load.js'
import { ofChildProcess, warnOfMisspelt } from '../node/misspelt.js'
import { requireNode } from '../node/runtime.js'
import { commandLine } from './command-line.js'
import { environmentOf, environmentPairs, isLiveEnvironment } from './environment.js'
import { spawnOfFork } from './fork-options.js'
import {
  checkAsNode,
  checkEndsAsNode,
  isAbsent,
  isObject,
  nodes,
  type Options,
  overload,
  pathOf,
} from './node-options.js'
import { checkKillSignal, type Enforce, type Protection, protectionFrom, waiting } from './protection.js'
import { type ProtectionOptions, protectionOptions } from './protection-options.js'

/** All that `spawnProtected` takes: the options of `child_process.spawn`, and ours. */
export type SpawnProtectedOptions = SpawnOptions & ProtectionOptions
/** All that `forkProtected` takes: the options of `child_process.fork`, and ours. */
export type ForkProtectedOptions = ForkOptions & ProtectionOptions

export interface SpawnPlan {
  /** What Node's ChildProcess.prototype.spawn takes. */
  readonly spawn: object
  /** The arguments as the program gets them; `spawn.args` are as the caller gave them, for `spawnargs`. */
  readonly argumentTexts: readonly string[]
  /** The child's environment is this process's own, handed through natively, and envPairs are additions to it. */
  readonly inheritEnvironment: boolean
  readonly protection: Protection
  /** Milliseconds; 0: none. */
  readonly timeout: number
  readonly signal: AbortSignal | undefined
  readonly killSignal: NodeJS.Signals | number | undefined
}

/** Node publishes the options of a start here, from Node 24 on. */
const starting = channel('tracing:child_process.spawn:start')

/** And there what came of it. */
const outcomes = [channel('tracing:child_process.spawn:end'), channel('tracing:child_process.spawn:error')]

/** An object that inherits nothing: one by Object.create(null) is a dictionary to the engine, and slow. */
const Bare = function Bare() {} as unknown as new () => SpawnProtectedOptions & Options
Bare.prototype = Object.create(null)

export function planSpawn(
  file: string,
  argsOrOptions: unknown,
  lastOptions: unknown,
  defaultEnforce: Enforce = 'auto',
): SpawnPlan {
  requireNode()
  const { args, options: given } = overload(argsOrOptions, lastOptions)
  // Nothing can be poisoned here, and nothing needs to be: neither can be anything else than refused.
  if (!isAbsent(argsOrOptions) && typeof argsOrOptions !== 'object') nodes.spawn(file, argsOrOptions as string[])
  if (given !== undefined && !isObject(given)) nodes.spawn(file, args as string[], given as unknown as object)
  const options = Object.assign(new Bare(), given)
  warnOfMisspelt(options, protectionOptions, ofChildProcess)
  checkAsNode(file, args, options)
  const env = environmentOf(file, args, options)
  // Who subscribes is shown the whole environment, and may change it.
  const inheritEnvironment = isLiveEnvironment(env) && !starting.hasSubscribers && native().canReadEnvironment
  const envPairs = inheritEnvironment ? [] : environmentPairs(env, options.env)
  checkEndsAsNode(file, args, options)
  // Who is told of starts is told at once what came of each, and 'spawn' comes before the error of an abort.
  const isObserved = starting.hasSubscribers || outcomes.some(({ hasSubscribers }) => hasSubscribers)
  const mustWait = isObserved || options.signal?.aborted === true
  const protection = waiting(protectionFrom(options, defaultEnforce), options.waitForExec, mustWait)
  if (options.timeout || options.signal) checkKillSignal(options.killSignal, protection)
  const command = commandLine(file, args, options)
  options.file = command.file
  options.args = command.args
  options.cwd = isAbsent(options.cwd) ? options.cwd : (pathOf(options.cwd) as string)
  options.detached = Boolean(options.detached)
  options.windowsHide = Boolean(options.windowsHide)
  options.windowsVerbatimArguments = Boolean(options.windowsVerbatimArguments)
  options.envPairs = envPairs
  return {
    spawn: options,
    argumentTexts: command.argumentTexts,
    inheritEnvironment,
    protection,
    timeout: options.timeout ?? 0,
    signal: options.signal,
    killSignal: (options.killSignal ?? undefined) as NodeJS.Signals | number | undefined,
  }
}

/** Node resets signals as it starts, so its protection must be enforced. */
export function planFork(modulePath: string | URL, argsOrOptions: unknown, lastOptions: unknown): SpawnPlan {
  requireNode()
  const { file, args, options } = spawnOfFork(modulePath, argsOrOptions, lastOptions)
  return planSpawn(file, args, options, true)
}
