/** Signals by name and by number, and sets of them. */
import { constants } from 'node:os'
import { invalidArgType, unknownSignal } from '../node/errors.js'

/** A signal by its name, or by its number for real-time signals, which have no name in Node. */
export type Signal = NodeJS.Signals | number

const numbers: Readonly<Record<string, number>> = constants.signals
const FIRST_REALTIME = 34
/** NSIG of a Mac is 32: it has no real-time signals. */
const LAST_SIGNAL = process.platform === 'darwin' ? 31 : 64

const REALTIME =
  LAST_SIGNAL < FIRST_REALTIME
    ? ': this system has no real-time signals'
    : `: real-time signals are numbers here, ${FIRST_REALTIME} to ${LAST_SIGNAL}, as Node has no names for them`

/** Where names share a number (SIGABRT and SIGIOT) the first one listed is Node's own. */
const names = new Map<number, string>()
for (const [name, number] of Object.entries(numbers)) {
  if (!names.has(number)) names.set(number, name)
}

/**
 * @param place - what errors name: the argument, or the option and its entry.
 * @throws TypeError `ERR_UNKNOWN_SIGNAL`, `ERR_INVALID_ARG_TYPE`.
 */
export function signalNumber(signal: unknown, place = 'signal'): number {
  if (typeof signal === 'string') {
    const number = Object.hasOwn(numbers, signal) ? numbers[signal] : undefined
    if (number !== undefined) return number
    const upper = signal.toUpperCase()
    const near = [upper, `SIG${upper}`].find((name) => Object.hasOwn(numbers, name))
    if (/^(SIG)?RT(MIN|MAX)/.test(upper)) throw unknownSignal(signal, place, REALTIME)
    throw unknownSignal(signal, place, near ? `: did you mean '${near}'?` : '')
  }
  if (typeof signal !== 'number') throw invalidArgType(place, "a signal name such as 'SIGINT'", signal)
  const realtime = Number.isInteger(signal) && signal >= FIRST_REALTIME && signal <= LAST_SIGNAL
  if (!names.has(signal) && !realtime) throw unknownSignal(signal, place, '')
  return signal
}

/** The name of any signal that can end a process. */
export function signalName(number: number): string {
  return names.get(number) ?? `SIGRTMIN+${number - FIRST_REALTIME}`
}

/** As Node gives it to listeners, or its number where it has no name there. */
export function signalOf(number: number): Signal {
  return (names.get(number) as NodeJS.Signals | undefined) ?? number
}

/** Ascending. */
export function signalsOf(set: bigint): Signal[] {
  return signalNumbers(set).map(signalOf)
}

export function signalNumbers(set: bigint): number[] {
  return Array.from({ length: LAST_SIGNAL }, (_, index) => index + 1).filter((number) => includes(set, number))
}

/** Bit n-1 of a set stands for signal n, as in the kernel's own. */
export function signalBit(number: number): bigint {
  return 1n << BigInt(number - 1)
}

export function includes(set: bigint, signal: number): boolean {
  return (set & signalBit(signal)) !== 0n
}
