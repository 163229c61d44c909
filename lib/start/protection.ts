/** What is ours of a start: from the options that a caller has written to the numbers that they become. */
import { constants } from 'node:os'
import { checkExitEvent, type ExitEvent } from '../exit-event.js'
import type { Guarding } from '../guard/start.js'
import { native } from '../native/load.js'
import type { OptionFields, OptionNumbers } from '../native/wire.js'
import { checkInteger, checkMilliseconds, invalidArgType, invalidArgValue, unavailable } from '../node/errors.js'
import { isMainThread } from '../node/thread.js'
import { includes, signalNumber } from '../signal/names.js'
import { signalSet } from '../signal/policy.js'
import type { ProtectionOptions } from './protection-options.js'

/** How our options stand on the wire, in its order: sets of signals first, then numbers of 32 bits. */
export const optionFields = {
  ignored: 8,
  blocked: 8,
  /** Of the ignored ones. */
  unenforced: 8,
  enforcement: 4,
  setProcessGroup: 4,
  /** 0: a new one. */
  processGroup: 4,
  foreground: 4,
  /** 0: none. */
  parentDeathSignal: 4,
  waitsForExec: 4,
} as const satisfies OptionFields

/** What is ours of a start, complete. */
export interface Protection {
  readonly numbers: OptionNumbers<typeof optionFields>
  readonly guard: Guarding | undefined
  /** `null`: not asked for. */
  readonly groups: readonly number[] | null
  readonly exitEvent: ExitEvent | undefined
  readonly drain: number | undefined
}

export type Enforce = boolean | 'auto' | 'guard'

/** What keeps a child from undoing what it ignores. */
export type Enforced = false | 'filter' | 'guard'

/** What is in force in a child. */
export interface Protected {
  readonly enforced: Enforced
  /** The set of signals whose dispositions it can't change. */
  readonly inForce: bigint
  /** Of those that it ignores although it was not to. */
  readonly keptIgnored: bigint
}

const DEFAULT_IGNORED = signalSet('options.ignore', ['SIGINT'])

/**
 * @param threadOutlives - whether the calling thread can't end before the child does, but with this process.
 * @throws TypeError, RangeError in Node's shapes, naming the option.
 */
export function protectionFrom(
  options: ProtectionOptions,
  defaultEnforce: Enforce,
  threadOutlives = isMainThread(),
): Protection {
  const { ignore, block, enforce = defaultEnforce, exitEvent } = options
  if (exitEvent !== undefined) checkExitEvent('options.exitEvent', exitEvent)
  const foreground = flag('options.foreground', options.foreground)
  const ignored = ignore === undefined ? (foreground ? 0n : DEFAULT_IGNORED) : signalSet('options.ignore', ignore)
  const blocked = block === undefined ? 0n : signalSet('options.block', block)
  if (foreground) checkHearsTerminal('options.ignore', ignore, ignored)
  if (foreground) checkHearsTerminal('options.block', block, blocked)
  const group = processGroup(options.processGroup) ?? (foreground ? 0 : undefined)
  return {
    numbers: {
      ignored,
      blocked,
      unenforced: 0n,
      enforcement: enforcement(enforce),
      setProcessGroup: group === undefined ? 0 : 1,
      processGroup: group ?? 0,
      foreground: foreground ? 1 : 0,
      parentDeathSignal: parentDeathSignal(options.parentDeathSignal, ignored, threadOutlives),
      waitsForExec: 1,
    },
    guard: guarding(enforce, ignored),
    groups: options.groups === undefined ? null : groupIds(options.groups),
    exitEvent,
    drain: options.drain === undefined ? undefined : checkMilliseconds('options.drain', options.drain),
  }
}

/** By the option of that name. A guard is asked whether it is in force when the program runs. */
export function waiting(protection: Protection, waitForExec: unknown, mustWait: boolean): Protection {
  const asked = waitForExec === undefined || flag('options.waitForExec', waitForExec)
  const waits = asked || mustWait || protection.guard !== undefined
  return waits ? protection : { ...protection, numbers: { ...protection.numbers, waitsForExec: 0 } }
}

/** The signals that never reach the program: ignored, or blocked at its start. */
export function unheardSignals({ numbers: { ignored, blocked } }: Protection): bigint {
  return blocked === 0n ? ignored : ignored | blocked
}

export function hasOwnGroup({ numbers }: Protection): boolean {
  return numbers.setProcessGroup === 1 && numbers.processGroup === 0
}

function checkHearsTerminal(property: string, signals: unknown, set: bigint): void {
  if (!includes(set, constants.signals.SIGINT)) return
  const rule =
    "must not contain SIGINT with 'options.foreground': Ctrl-C reaches the foreground alone, and would be a dead key"
  throw invalidArgValue(property, signals, rule)
}

/** Whether the signal that Node's `killSignal` means, one that Node has checked, is among these. */
export function isDeafTo(unheard: bigint, killSignal: unknown): boolean {
  const number =
    typeof killSignal === 'number' ? killSignal : signalNumber(String(killSignal ?? 'SIGTERM').toUpperCase())
  return number !== 0 && includes(unheard, number)
}

/**
 * Checks the signal that is to end a child at its time-out, or when its AbortSignal says so.
 * @throws TypeError `ERR_INVALID_ARG_VALUE`.
 */
export function checkKillSignal(killSignal: unknown, protection: Protection): void {
  if (!isDeafTo(unheardSignals(protection), killSignal)) return
  const rule =
    "must be a signal that the child does not ignore or block, or 'timeout' and 'signal' would end nothing: 'SIGKILL', for example"
  throw invalidArgValue('options.killSignal', killSignal ?? 'SIGTERM', rule)
}

/** Where the system has no filter, the guard stands in for it. */
function guarding(enforce: Enforce, set: bigint): Guarding | undefined {
  if (set === 0n || enforce === false || (enforce !== 'guard' && native().hasSignalFilter)) return undefined
  return { set, required: enforce !== 'auto' }
}

/** The addon's numbers for `enforce`: of its filter. */
function enforcement(enforce: unknown): number {
  if (enforce === false || enforce === 'guard') return 0
  if (enforce !== true && enforce !== 'auto')
    throw invalidArgType('options.enforce', "true, false, 'auto' or 'guard'", enforce)
  if (!native().hasSignalFilter) return 0
  return enforce === true ? 2 : 1
}

function flag(name: string, value: unknown): boolean {
  if (value !== undefined && typeof value !== 'boolean') throw invalidArgType(name, 'of type boolean', value)
  return value ?? false
}

/** The last id means "none" to the kernel. */
const MAX_ID = 2 ** 32 - 2

/** Copied: a start must not be changed by its caller. */
function groupIds(groups: unknown): number[] {
  if (!Array.isArray(groups)) throw invalidArgType('options.groups', 'an array of group ids', groups)
  return Array.from(groups, (id: unknown, i) => {
    if (typeof id !== 'number') throw invalidArgType(`options.groups[${i}]`, 'of type number', id)
    return checkInteger(`options.groups[${i}]`, id, 0, MAX_ID)
  })
}

function processGroup(group: unknown): number | undefined {
  if (group === undefined || group === false) return undefined
  if (group === true) return 0
  if (typeof group !== 'number') throw invalidArgType('options.processGroup', 'a boolean or a process group id', group)
  return checkInteger('options.processGroup', group, 1, 2 ** 31 - 1)
}

function parentDeathSignal(signal: unknown, ignored: bigint, threadOutlives: boolean): number {
  if (signal === undefined || signal === false) return 0
  const number = signalNumber(signal === true ? 'SIGKILL' : signal, 'options.parentDeathSignal')
  if (includes(ignored, number)) {
    const rule = "must not be a signal of 'options.ignore': the child would live on"
    throw invalidArgValue('options.parentDeathSignal', signal, rule)
  }
  if (!native().hasParentDeathSignal) {
    throw unavailable(
      "parentDeathSignal works on Linux only: this system tells no child of its parent's death. " +
        'Give the child an exit event, which its parent sets by its death',
    )
  }
  if (!threadOutlives) {
    throw unavailable(
      'parentDeathSignal works on the main thread only: the kernel would send it at the end of this worker thread. ' +
        'Start the child from the main thread, or give it an exit event, which its parent sets by its death too',
    )
  }
  return number
}
