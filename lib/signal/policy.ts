/** Which signals a child, or this process, may ignore or block, and why others are refused. */
import { constants } from 'node:os'
import { invalidArgType, invalidArgValue } from '../node/errors.js'
import { signalBit, signalNumber } from './names.js'

/** What the kernel forces on a process at once, ignored or blocked or not (signal(7)). */
const SYNCHRONOUS = ['SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGTRAP', 'SIGSYS'] as const

/** As the rule of an error message. */
type Rules = ReadonlyMap<number, string>

const unblockable: [number, string][] = (['SIGKILL', 'SIGSTOP'] as const).map((name) => [
  constants.signals[name],
  `must not be ${name}, which no process can ignore or block`,
])

const faults: [number, string][] = SYNCHRONOUS.map((name) => [
  constants.signals[name],
  `must not be ${name}: the kernel raises it for a fault of the program itself, and ends it all the same`,
])

const ofChild: Rules = new Map([
  ...unblockable,
  ...faults,
  [constants.signals.SIGCHLD, 'must not be SIGCHLD: the child could not wait for children of its own. Leave it out'],
])

const ofMask: Rules = new Map([...unblockable, ...faults])

const ofProcess: Rules = new Map([
  ...ofMask,
  [constants.signals.SIGCHLD, 'must not be SIGCHLD: Node would not notice the end of children. Leave it out'],
])

const ofListeners: Rules = new Map([
  ...(['SIGKILL', 'SIGSTOP'] as const).map(
    (name) => [constants.signals[name], `must not be ${name}, which no process can handle`] as const,
  ),
  ...faults,
  [constants.signals.SIGCHLD, 'must not be SIGCHLD: it tells of children, and asks nobody to leave'],
])

function checked(property: string, signals: unknown, refused: Rules): number[] {
  if (!Array.isArray(signals)) throw invalidArgType(property, "an array of signals such as ['SIGINT']", signals)
  // By index: a hole is a wrong entry too.
  return Array.from({ length: signals.length }, (_, i) => {
    const number = signalNumber(signals[i], `${property}[${i}]`)
    const rule = refused.get(number)
    if (rule !== undefined) throw invalidArgValue(`${property}[${i}]`, signals[i], rule)
    return number
  })
}

function checkedSet(property: string, signals: unknown, refused: Rules): bigint {
  let set = 0n
  for (const number of checked(property, signals, refused)) set |= signalBit(number)
  return set
}

/**
 * The set of these signals, for a child. `property` names the option in errors, with the entry that is wrong.
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_UNKNOWN_SIGNAL`.
 */
export function signalSet(property: string, signals: unknown): bigint {
  return checkedSet(property, signals, ofChild)
}

/** The same for what a thread of this process may block. */
export function maskSet(signals: unknown): bigint {
  return checkedSet('signals', signals, ofMask)
}

/** The numbers of what may end this process in an orderly way; `property` as above. */
export function endingSignals(property: string, signals: unknown): number[] {
  return checked(property, signals, ofListeners)
}

/** The same for what may be taken from this whole process. */
export function processSet(signals: unknown): bigint {
  return checkedSet('signals', signals, ofProcess)
}
