/**
 * The numbers and the text of a start, as they cross to the addon. They stand in memory that both sides share: to get and set
 * properties from C++ costs more than the clone. native/core/wire.h is the other side of it.
 */
import type { StdioEntry } from '../node/child-process-contract.js'
import type { Interrupted, SyncEnd } from './addon.js'
import { checkLayout } from './layout.js'
import { native } from './load.js'
import { type Refused, tooLong } from './text.js'

/** Entries of {@link SpawnRequest.descriptors} that are no descriptor of this process. */
export const NO_DESCRIPTOR = -1
export const NEW_PIPE = -2

/** Bytes. */
type Width = 4 | 8

/** The numbers that our own options become, in the order of the wire: sets of signals, 8 bytes wide, are the first. */
export type OptionFields = Readonly<Record<string, Width>>

/** Their values: a bigint for 8 bytes. Sets of signals have bit n-1 for signal n. */
export type OptionNumbers<Fields extends OptionFields> = {
  readonly [Name in keyof Fields]: Fields[Name] extends 8 ? bigint : number
}

/** What follows the options: of the system's own, how much there is of each text, and the answer. */
const otherFields = [
  'newSession',
  'setUid',
  'uid',
  'setGid',
  'gid',
  'exitSource',
  'exitTarget',
  'argumentCount',
  'environmentCount',
  'changeCount',
  'descriptorCount',
  'groupCount',
  'step',
  'pid',
  'underWay',
  'enforced',
  'inForceLow',
  'inForceHigh',
  'keptIgnoredLow',
  'keptIgnoredHigh',
  'handsOver',
  'descriptors',
] as const

/** Where each stands, in 32-bit words. */
type Slots = Readonly<Record<(typeof otherFields)[number], number>>

export interface SpawnRequest<Fields extends OptionFields> {
  readonly options: OptionNumbers<Fields>
  readonly file: string
  readonly arguments: readonly string[]
  /** `null`: this process's own. */
  readonly environment: readonly string[] | null
  /** NAME=value sets, NAME removes. */
  readonly environmentChanges: readonly string[]
  /** Empty: this process's own. */
  readonly directory: string
  /** The read end of the child's exit event, or NO_DESCRIPTOR, and its number in the child: above all others. */
  readonly exitSource: number
  readonly exitTarget: number
  /** Entry n becomes the child's descriptor n. */
  readonly descriptors: number[]
  readonly newSession: boolean
  readonly uid: number | null
  readonly gid: number | null
  /** The supplementary groups; `null`: as they are, or none when an id is given. */
  readonly groups: readonly number[] | null
}

export interface StartResult {
  /** 0, or the negative errno of the failed step; then there is no process, and pid means nothing. */
  readonly errno: number
  readonly step: string
  /** By a filter, of this start or inherited. */
  readonly enforced: false | 'filter'
  /** The set of signals whose dispositions neither the child nor a descendant can change. */
  readonly inForce: bigint
  /** Of those that it ignores although it was not to: a filter of another's lets nobody change that. */
  readonly keptIgnored: bigint
  readonly pid: number
}

export interface SpawnResult extends StartResult {
  /** Means nothing where nothing was started. */
  readonly id: number
  /** Whether the program runs is not known yet, nor what is in force beyond what is inherited: the addon's `onStart` tells. */
  readonly underWay: boolean
}

/** What ends a child that is seen through in one call. In milliseconds and bytes; Infinity: never. */
export interface SyncLimits {
  /** 0: never. */
  readonly timeout: number
  /** 0: any. */
  readonly maxBuffer: number
  readonly killSignal: number
  readonly grace: number
  readonly drain: number
  /** Null for a child that hears SIGINT itself. */
  readonly interrupted: Interrupted | null
}

export interface SyncResult extends StartResult {
  /** Undefined where nothing was started. */
  readonly end: SyncEnd | undefined
}

const nothing = { enforced: false, inForce: 0n, keptIgnored: 0n, pid: -1 } as const

export class Wire<Fields extends OptionFields> {
  readonly #sets: readonly string[]
  readonly #numbers: readonly string[]
  readonly #slot: Slots
  readonly #firstNumber: number
  /** One for all starts, as long as their children have no more descriptors than it has room for. */
  #memory!: ArrayBuffer
  #setsView!: BigUint64Array
  #numbersView!: Int32Array

  /** @throws Error `ERR_DLOPEN_FAILED`: the addon was built from another version of the library. */
  constructor(fields: Fields) {
    const names = Object.keys(fields)
    this.#sets = names.filter((name) => fields[name] === 8)
    this.#numbers = names.filter((name) => fields[name] === 4)
    this.#firstNumber = this.#sets.length * 2
    const firstOther = this.#firstNumber + this.#numbers.length
    this.#slot = Object.fromEntries(otherFields.map((name, i) => [name, firstOther + i])) as Slots
    this.#reserve(16)
    const ours = [...names.map((name) => `${name}:${fields[name]}`), ...otherFields.map((name) => `${name}:4`)]
    checkLayout(ours.join(' '), native().layout)
  }

  /** Entry n of `stdio` is given this process's end of descriptor n where that is a NEW_PIPE: after a failure too. */
  start(request: SpawnRequest<Fields>, stdio: readonly StdioEntry[]): SpawnResult {
    const text = this.#write(request)
    if (typeof text !== 'string') return { ...nothing, ...text, id: -1, underWay: false }
    const addon = native()
    // Asked before there is an end to lose: `process` is a getter, a function of JavaScript.
    const hasPermissionModel = process.permission !== undefined
    const id = addon.spawn(text, this.#memory)
    const { descriptors } = request
    const numbers = this.#numbersView
    const first = this.#slot.descriptors
    for (let i = 0; i < descriptors.length; i += 1) {
      const end = numbers[first + i] as number
      if (descriptors[i] !== NEW_PIPE || end < 0) continue
      // A thread may be terminated where a function of JavaScript begins, or a loop goes on: not between these two.
      numbers[first + i] = NO_DESCRIPTOR
      if (hasPermissionModel) addon.openPipe(stdio[i]?.handle as object, end)
      else stdio[i]?.handle?.open(end)
    }
    return Object.assign(this.#answer(id), { id, underWay: numbers[this.#slot.underWay] === 1 })
  }

  /** Blocks this thread until the child has ended. `input`: what its first descriptor, a NEW_PIPE then, gives it. */
  startSync(request: SpawnRequest<Fields>, input: Uint8Array | null, limits: SyncLimits): SyncResult {
    const text = this.#write(request)
    if (typeof text !== 'string') return { ...nothing, ...text, end: undefined }
    const numbers = [limits.timeout, limits.maxBuffer, limits.killSignal, limits.grace, limits.drain] as const
    const end = native().spawnSync(text, this.#memory, input, ...numbers, limits.interrupted)
    return typeof end === 'number' ? { ...this.#answer(end), end: undefined } : { ...this.#answer(0), end }
  }

  /** The same in place of this program; of the descriptors it keeps those that are listed. Returns only when it has failed. */
  replace(request: SpawnRequest<Fields>): Refused {
    const text = this.#write(request)
    if (typeof text !== 'string') return text
    const errno = native().replace(text, this.#memory)
    return { errno, step: native().stepName(this.#numbersView[this.#slot.step] as number) }
  }

  #answer(errno: number): StartResult {
    const slot = this.#slot
    const numbers = this.#numbersView
    return {
      errno: errno < 0 ? errno : 0,
      step: errno < 0 ? native().stepName(numbers[slot.step] as number) : '',
      enforced: numbers[slot.enforced] === 1 && 'filter',
      inForce: setOf(numbers[slot.inForceLow] as number, numbers[slot.inForceHigh] as number),
      keptIgnored: setOf(numbers[slot.keptIgnoredLow] as number, numbers[slot.keptIgnoredHigh] as number),
      pid: numbers[slot.pid] as number,
    }
  }

  /** Returns the text that goes with the numbers, or why there can be none. */
  #write(request: SpawnRequest<Fields>): string | Refused {
    const { options, descriptors, environment, uid, gid, groups } = request
    const strings = [...request.arguments, ...(environment ?? []), ...request.environmentChanges]
    const refused = tooLong(request, strings)
    if (refused) return refused
    const slot = this.#slot
    const groupCount = groups?.length ?? 0
    const listed = descriptors.length + groupCount
    if (slot.descriptors + listed > this.#numbersView.length) this.#reserve(listed)
    const numbers = this.#numbersView
    // From here on what stands there is no answer any more.
    numbers[slot.handsOver] = 0
    for (let i = 0; i < this.#sets.length; i += 1) this.#setsView[i] = options[this.#sets[i] as string] as bigint
    for (let i = 0; i < this.#numbers.length; i += 1) {
      numbers[this.#firstNumber + i] = options[this.#numbers[i] as string] as number
    }
    numbers[slot.newSession] = request.newSession ? 1 : 0
    numbers[slot.setUid] = uid === null ? 0 : 1
    numbers[slot.uid] = uid ?? 0
    numbers[slot.setGid] = gid === null ? 0 : 1
    numbers[slot.gid] = gid ?? 0
    numbers[slot.exitSource] = request.exitSource
    numbers[slot.exitTarget] = request.exitTarget
    numbers[slot.argumentCount] = request.arguments.length
    numbers[slot.environmentCount] = environment === null ? -1 : environment.length
    numbers[slot.changeCount] = request.environmentChanges.length
    numbers[slot.descriptorCount] = descriptors.length
    for (let i = 0; i < descriptors.length; i += 1) numbers[slot.descriptors + i] = descriptors[i] as number
    numbers[slot.groupCount] = groups === null ? -1 : groupCount
    const firstGroup = slot.descriptors + descriptors.length
    for (let i = 0; i < groupCount; i += 1) numbers[firstGroup + i] = groups?.[i] as number

    return [request.file, request.directory, ...strings, ''].join('\0')
  }

  #reserve(listed: number): void {
    const words = this.#slot.descriptors + listed
    this.#memory = new ArrayBuffer(words * Int32Array.BYTES_PER_ELEMENT)
    this.#setsView = new BigUint64Array(this.#memory, 0, this.#sets.length)
    this.#numbersView = new Int32Array(this.#memory)
  }
}

/** From the halves of a set of signals, as signed numbers. */
function setOf(low: number, high: number): bigint {
  return high === 0 ? BigInt(low >>> 0) : (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
}
