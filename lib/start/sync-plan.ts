/** From the arguments of a synchronous call to all that it needs. */
import type { SpawnSyncOptions } from 'node:child_process'
import { constants } from 'node:os'
import { types } from 'node:util'
import { coordinator } from '../end/coordinator.js'
import { native } from '../native/load.js'
import { text } from '../native/text.js'
import type { SyncLimits } from '../native/wire.js'
import type { HandleSpawnOptions } from '../node/child-process-contract.js'
import { checkMilliseconds, invalidArgValue } from '../node/errors.js'
import { ofChildProcess, warnOfMisspelt } from '../node/misspelt.js'
import { requireNode } from '../node/runtime.js'
import { syncStdio } from '../node/sync-stdio.js'
import { isMainThread } from '../node/thread.js'
import { includes, type Signal, signalNumber } from '../signal/names.js'
import { commandLine } from './command-line.js'
import { environmentOf, environmentPairs, isLiveEnvironment } from './environment.js'
import { isAbsent, type Options, pathOf } from './node-options.js'
import { checkKillSignal, type Protection, protectionFrom, unheardSignals } from './protection.js'
import { generalOptions, type ProtectionOptions } from './protection-options.js'
import type { PreparedTexts } from './start-request.js'
import { checkSyncCall, type SyncCall, type SyncFunction } from './sync-check.js'

/** What sigshield adds to the options of the synchronous functions of `child_process`. */
export interface SyncProtectionOptions extends Pick<ProtectionOptions, 'block' | 'groups' | 'processGroup' | 'drain'> {
  /**
   * Signals that the child ignores from its first instruction on: SIG_IGN; all others start with SIG_DFL.
   * @default ['SIGINT'] where this process has a listener for it, or ignores it; else [], as Ctrl-C ends this process at once, and
   * must not leave the child, and what it has started, behind
   */
  readonly ignore?: readonly Signal[] | undefined
  /**
   * As for {@link spawnProtected}. Where it means the guard, and that is not in force in a program although nothing in its file says
   * why, the program has run by the time that this is known: the result has the `error` all the same.
   * @default 'auto'
   */
  readonly enforce?: ProtectionOptions['enforce']
  /**
   * Handed to the child. Nobody can set an event of this thread while it is blocked; the one that this process was given
   * (`exitEvent()` of `sigshield/child`) is set by its parent.
   */
  readonly exitEvent?: ProtectionOptions['exitEvent']
  /**
   * The signal that the kernel sends the child when this process dies, however it dies; `true` is SIGKILL. In worker threads too.
   * @default SIGTERM, or SIGKILL if the child does not hear it, for a child that ignores or blocks anything; else false. Elsewhere than
   * on Linux false
   */
  readonly parentDeathSignal?: Signal | boolean | undefined
  /**
   * Milliseconds that a child which has reached its `timeout` or `maxBuffer` has, after its `killSignal`, until SIGKILL. Time in
   * which this process was stopped does not count. Infinity: it is waited for, as with `child_process`.
   * @default 5000
   */
  readonly grace?: number | undefined
}

const syncOptions: ReadonlySet<string> = new Set([...generalOptions, 'grace'])

/** All that `spawnSyncProtected` takes: the options of `child_process.spawnSync`, and ours. */
export type SpawnSyncProtectedOptions = SpawnSyncOptions & SyncProtectionOptions

export interface SyncPlan {
  readonly call: SyncCall
  readonly command: HandleSpawnOptions
  readonly texts: PreparedTexts
  readonly protection: Protection
  /** What the child's first descriptor gives it; null where that is no pipe of ours. */
  readonly input: Uint8Array | null
  /** How many of the child's descriptors the result tells of. */
  readonly outputCount: number
  readonly limits: Omit<SyncLimits, 'interrupted'>
  readonly encoding: BufferEncoding | undefined
}

/** Node's own, for all output together. */
const DEFAULT_MAX_BUFFER = 1024 * 1024
const DEFAULT_GRACE_MS = 5000
/** What an empty name is to Node's synchronous functions, and bytes are text to them; on the wire it is this process's own. */
const NO_DIRECTORY = '/proc/none'
const { SIGINT, SIGKILL, SIGTERM } = constants.signals

export function planSync(name: SyncFunction, file: string, second: unknown, third: unknown): SyncPlan {
  requireNode()
  const call = checkSyncCall(name, file, second, third)
  const { args, options } = call
  warnOfMisspelt(options, syncOptions, ofChildProcess)
  const env = environmentOf(file, args, options)
  const inheritEnvironment = isLiveEnvironment(env) && native().canReadEnvironment
  const envPairs = inheritEnvironment ? [] : environmentPairs(env, options.env)
  const protection = syncProtection(options)
  const { stdio, hasInput, count } = syncStdio((options.stdio as string | readonly unknown[]) || 'pipe')
  const encoding = options.encoding && options.encoding !== 'buffer' ? (options.encoding as BufferEncoding) : undefined
  const input = inputOf(options)
  const command = commandLine(file, args, options)
  return {
    call,
    command: {
      ...command,
      cwd: isAbsent(options.cwd) ? undefined : text(pathOf(options.cwd)) || NO_DIRECTORY,
      envPairs,
      stdio,
      detached: Boolean(options.detached),
      uid: options.uid as number | undefined,
      gid: options.gid as number | undefined,
    },
    texts: { argumentTexts: command.argumentTexts, inheritEnvironment },
    protection,
    input: hasInput ? input : null,
    outputCount: count,
    limits: limitsOf(options, protection),
    encoding,
  }
}

function syncProtection(options: Options): Protection {
  const { foreground, parentDeathSignal } = options
  if (foreground) {
    const rule = 'is not for a call that blocks: its child shares the terminal with this process already. Leave it out'
    throw invalidArgValue('options.foreground', foreground, rule)
  }
  const ignore = options.ignore === undefined && isEndedByInterrupt() ? [] : options.ignore
  // The calling thread is blocked until the child has ended.
  const protection = protectionFrom({ ...options, ignore } as ProtectionOptions, 'auto', true)
  const unheard = unheardSignals(protection)
  if (parentDeathSignal !== undefined || !native().hasParentDeathSignal || unheard === 0n) return protection
  const deathSignal = includes(unheard, SIGTERM) ? SIGKILL : SIGTERM
  return { ...protection, numbers: { ...protection.numbers, parentDeathSignal: deathSignal } }
}

/** Whether a Ctrl-C ends this process: nobody is left then who would end the child. A worker thread sees no listeners. */
function isEndedByInterrupt(): boolean {
  return native().endsProcess(SIGINT) || (isMainThread() && coordinator().endsAllTheSame('SIGINT'))
}

/** Text is made bytes by the encoding of the output: Node's own rule. */
function inputOf({ input, encoding }: Options): Uint8Array {
  if (!input) return new Uint8Array()
  if (typeof input === 'string') return Buffer.from(input, encoding as BufferEncoding)
  const { buffer, byteOffset, byteLength } = input as NodeJS.ArrayBufferView
  const bytes = new Uint8Array(buffer, byteOffset, byteLength)
  return types.isSharedArrayBuffer(buffer) ? Uint8Array.from(bytes) : bytes
}

function limitsOf(options: Options, protection: Protection): SyncPlan['limits'] {
  const { timeout, grace = DEFAULT_GRACE_MS } = options
  const maxBuffer = Object.hasOwn(options, 'maxBuffer') ? options.maxBuffer : DEFAULT_MAX_BUFFER
  return {
    timeout: Number(timeout ?? 0),
    maxBuffer: Number(maxBuffer ?? 0),
    killSignal: killSignalOf(options, protection),
    grace: checkMilliseconds('options.grace', grace),
    drain: protection.drain ?? Number.POSITIVE_INFINITY,
  }
}

/** One that was asked for must be heard. Where only `maxBuffer` by default would end the child, SIGKILL stands in for SIGTERM. */
function killSignalOf({ timeout, killSignal }: Options, protection: Protection): number {
  if (timeout || !isAbsent(killSignal)) checkKillSignal(killSignal, protection)
  if (isAbsent(killSignal)) return includes(unheardSignals(protection), SIGTERM) ? SIGKILL : SIGTERM
  return typeof killSignal === 'number' ? killSignal : signalNumber(String(killSignal).toUpperCase())
}
