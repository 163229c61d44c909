/**
 * The signals of this process, and of others: what Python's `signal` module has and Node has not. No part of a start.
 *
 * Signals are names, or numbers where Node has no name (real-time signals, 34 to 64). Sets are arrays, and come out ascending. 32 and 33
 * are libc's own and are refused; so are, where they can't work, SIGKILL, SIGSTOP, SIGCHLD and the signals of a program's own faults.
 *
 * Per thread: `mask`, `withMask`, `pending`, `raise`. Per process: all others. All work on the main thread and in workers.
 *
 * All but `valid`, and `stateOf` in Bun and Deno, throw Error `ERR_DLOPEN_FAILED` where the addon is not there, or can't be loaded, and
 * `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` where there can be none (Bun, Deno, Windows, other machines than x64 and arm64). Those that
 * return a promise reject.
 */
import { native } from './native/load.js'
import { type Signal, signalNumber, signalsOf } from './signal/names.js'

export { type MaskChange, mask, pending, withMask } from './signal/mask.js'
export type { Signal } from './signal/names.js'
export { type KillOptions, kill, type PendingSignals, type ProcessState, stateOf } from './signal/process-state.js'
export { type Disposition, disposition, hold, ignore } from './signal/scopes.js'
export { type ReceivedSignal, raise, type WaitOptions, wait, waitSync } from './signal/waiting.js'

/**
 * The system's description of a signal, as a shell prints it: 'Interrupt' (strsignal(3)).
 * @param signal - any signal of this system.
 * @returns the text, in English.
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_UNKNOWN_SIGNAL`; Error `ERR_DLOPEN_FAILED`, `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM`
 * where there is no addon.
 * @example
 * console.log(describe('SIGINT')) // Interrupt
 */
export function describe(signal: Signal): string {
  return native().describeSignal(signalNumber(signal))
}

/**
 * All signals of this system, but those that libc keeps for itself (sigfillset(3)).
 * @returns names and, of real-time signals, numbers, ascending.
 * @example
 * console.log(valid().includes('SIGINT')) // true
 */
export function valid(): Signal[] {
  const all = (1n << 64n) - 1n
  const libc = 0b11n << 31n
  return signalsOf(all & ~libc)
}
