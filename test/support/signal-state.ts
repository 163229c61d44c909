/** What a process does with its signals, as numbers: 32 and 33 too. */
import { ProcStatus } from '../../lib/signal/proc-status.js'

export interface SignalState {
  readonly ignored: readonly number[]
  readonly blocked: readonly number[]
}

export function signalState(pid: number): SignalState {
  const status = new ProcStatus(pid)
  const numbers = (set: bigint) =>
    Array.from({ length: 64 }, (_, i) => i + 1).filter((signal) => (set >> BigInt(signal - 1)) & 1n)
  return { ignored: numbers(status.set('SigIgn')), blocked: numbers(status.set('SigBlk')) }
}
