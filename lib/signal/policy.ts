/** Which signals a child may ignore or block, and why others are refused. */
import { constants } from 'node:os'
import { invalidArgType, invalidArgValue } from '../node/errors.js'
import { signalBit, signalNumber } from './names.js'

/** What the kernel forces on a process at once, ignored or blocked or not (signal(7)). */
const SYNCHRONOUS = ['SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGTRAP', 'SIGSYS'] as const

/** Why a child must not start with these, as the rule of an error message. */
const refused = new Map<number, string>()
for (const name of ['SIGKILL', 'SIGSTOP'] as const) {
  refused.set(constants.signals[name], `must not contain ${name}, which no process can ignore or block`)
}
for (const name of SYNCHRONOUS) {
  refused.set(
    constants.signals[name],
    `must not contain ${name}: the kernel raises it for a fault of the program itself, and ends it all the same`,
  )
}
refused.set(
  constants.signals.SIGCHLD,
  'must not contain SIGCHLD: the child could not wait for children of its own. Leave it out',
)

/**
 * The set of these signals. `property` names the option in errors.
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_UNKNOWN_SIGNAL`.
 */
export function signalSet(property: string, signals: unknown): bigint {
  if (!Array.isArray(signals)) throw invalidArgType(property, "an array of signals such as ['SIGINT']", signals)
  let set = 0n
  for (const signal of signals) {
    const number = signalNumber(signal)
    const rule = refused.get(number)
    if (rule !== undefined) throw invalidArgValue(property, signal, rule)
    set |= signalBit(number)
  }
  return set
}
