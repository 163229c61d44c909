/** Our own options: what a caller may write, and the numbers that it becomes for a start. */
import { constants } from 'node:os'
import { checkExitEvent, type ExitEvent } from '../exit-event.js'
import type { Guarding } from '../guard/start.js'
import { native } from '../native/load.js'
import type { OptionFields, OptionNumbers } from '../native/wire.js'
import { checkInteger, checkMilliseconds, invalidArgType, invalidArgValue, unavailable } from '../node/errors.js'
import { isMainThread } from '../node/thread.js'
import { includes, type Signal, signalNumber } from '../signal/names.js'
import { signalSet } from '../signal/policy.js'

/** What sigshield adds to the options of `child_process`. */
export interface ProtectionOptions {
  /**
   * Signals that the child ignores from its first instruction on: SIG_IGN; all others start with SIG_DFL.
   * @default ['SIGINT']; [] in the foreground
   */
  readonly ignore?: readonly Signal[] | undefined
  /**
   * The child's signal mask. A blocked signal waits until the program unblocks it, and many never do.
   * @default []
   */
  readonly block?: readonly Signal[] | undefined
  /**
   * Keep the child and its descendants from undoing `ignore`, by a filter of the kernel's (seccomp). `true`: fail to start where
   * the system has none; `'auto'`: start without it, see `enforced`; `false`: add none, and a Node child undoes what it ignores at
   * start-up. `'guard'`: by a library that is loaded into the child and the descendants that keep it in their environment, and
   * that an explicit start with other signals or `liftGuard()` of `sigshield/child` lifts; fail to start a program that it can't be
   * loaded into (docs/guard.md). Where the kernel has no filter, as on macOS, `true` and `'auto'` mean the guard.
   *
   * It guards against programs that reset signals as a matter of course, and is no security boundary: one that means to can get
   * round it, and a signal that a program blocks still reaches its sigwait(3) or signalfd(2). A program that asks for the old
   * action as it sets a new one finds its memory unwritten. What a process has inherited stays in force in all that it starts,
   * whatever is asked for here: an explicit start can set such a signal back to its default action, but not let a program
   * handle it.
   * @default 'auto' for spawnProtected, true for forkProtected
   */
  readonly enforce?: boolean | 'auto' | 'guard' | undefined
  /**
   * The supplementary groups of the child: exactly these ids, `[]` for none. It needs the privilege (CAP_SETGID).
   * @default undefined: the parent's, or none when `uid` or `gid` is given
   */
  readonly groups?: readonly number[] | undefined
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
   * A child that ignores or blocks SIGINT is refused: Ctrl-C would reach nobody. A system error (`step` 'open') where there is no
   * controlling terminal.
   * @default false
   */
  readonly foreground?: boolean | undefined
  /**
   * The signal that the kernel sends the child when its parent dies, however it dies; `true` is SIGKILL. From the main thread
   * only: the kernel takes the end of the starting thread for the parent's. A setuid program loses it (PR_SET_PDEATHSIG(2const)).
   * Linux alone: refused elsewhere with `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM`.
   * @default false
   */
  readonly parentDeathSignal?: Signal | boolean | undefined
  /**
   * Milliseconds from 'exit' until the pipes that descendants still hold are closed, so that 'close' comes. Go's WaitDelay.
   * @default undefined: 'close' waits for them, as with `child_process`
   */
  readonly drain?: number | undefined
}

/** All of them. */
export const protectionOptions: ReadonlySet<string> = new Set<keyof ProtectionOptions>([
  'ignore',
  'block',
  'enforce',
  'groups',
  'exitEvent',
  'processGroup',
  'foreground',
  'parentDeathSignal',
  'drain',
])

/** Those that go without the terminal. */
export const backgroundOptions: readonly string[] = [...protectionOptions].filter((name) => name !== 'foreground')

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
    },
    guard: guarding(enforce, ignored),
    groups: options.groups === undefined ? null : groupIds(options.groups),
    exitEvent,
    drain: options.drain === undefined ? undefined : checkMilliseconds('options.drain', options.drain),
  }
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
