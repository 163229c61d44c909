/** Signal names and numbers, and which of them a child may ignore or block. */
import { constants } from 'node:os'
import { invalidArgType, invalidArgValue, unknownSignal } from './errors.js'

/** A signal by its name, or by its number for real-time signals, which have no name in Node. */
export type Signal = NodeJS.Signals | number

const numbers: Readonly<Record<string, number>> = constants.signals
const FIRST_REALTIME = 34
const LAST_SIGNAL = 64

/** Where names share a number (SIGABRT and SIGIOT) the first one listed is Node's own. */
const names = new Map<number, string>()
for (const [name, number] of Object.entries(numbers)) {
  if (!names.has(number)) names.set(number, name)
}

export function signalNumber(signal: unknown): number {
  if (typeof signal === 'string') {
    const number = Object.hasOwn(numbers, signal) ? numbers[signal] : undefined
    if (number !== undefined) return number
    const upper = signal.toUpperCase()
    const near = [upper, `SIG${upper}`].find((name) => Object.hasOwn(numbers, name))
    throw unknownSignal(signal, near ? `: did you mean '${near}'?` : '')
  }
  if (typeof signal !== 'number') throw invalidArgType('signal', "a signal name such as 'SIGINT'", signal)
  const realtime = Number.isInteger(signal) && signal >= FIRST_REALTIME && signal <= LAST_SIGNAL
  if (!names.has(signal) && !realtime) throw unknownSignal(signal, '')
  return signal
}

/** The name of any signal that can end a process. */
export function signalName(number: number): string {
  return names.get(number) ?? `SIGRTMIN+${number - FIRST_REALTIME}`
}

/** What the kernel forces on a process at once, ignored or blocked or not (signal(7)). */
const SYNCHRONOUS = ['SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGTRAP', 'SIGSYS']

/** Why a child must not start with these, as the rule of an error message. */
const refused = new Map<number, string>()
for (const name of ['SIGKILL', 'SIGSTOP']) {
  refused.set(numbers[name] as number, `must not contain ${name}, which no process can ignore or block`)
}
for (const name of SYNCHRONOUS) {
  refused.set(
    numbers[name] as number,
    `must not contain ${name}: the kernel raises it for a fault of the program itself, and ends it all the same`,
  )
}
refused.set(
  numbers.SIGCHLD as number,
  'must not contain SIGCHLD: the child could not wait for children of its own. Leave it out',
)

export function includes(set: bigint, signal: number): boolean {
  return ((set >> BigInt(signal - 1)) & 1n) === 1n
}

/** The set of these signals, bit n-1 for signal n. `property` names the option in errors. */
export function signalSet(property: string, signals: unknown): bigint {
  if (!Array.isArray(signals)) throw invalidArgType(property, "an array of signals such as ['SIGINT']", signals)
  let set = 0n
  for (const signal of signals) {
    const number = signalNumber(signal)
    const rule = refused.get(number)
    if (rule !== undefined) throw invalidArgValue(property, signal, rule)
    set |= 1n << BigInt(number - 1)
  }
  return set
}
