/** The kernel's own account of a process's signals: /proc/PID/status (proc_pid_status(5)). */
import { readFileSync } from 'node:fs'

export interface SignalState {
  /** Numbers, ascending. */
  readonly ignored: readonly number[]
  readonly blocked: readonly number[]
}

/** @throws a system error (`ENOENT` when there is no such process). */
export function signalState(pid: number): SignalState {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  const set = (name: string) => {
    const bits = BigInt(`0x${new RegExp(`^${name}:\\s*(\\w+)$`, 'm').exec(status)?.[1]}`)
    return Array.from({ length: 64 }, (_, i) => i + 1).filter((signal) => (bits >> BigInt(signal - 1)) & 1n)
  }
  return { ignored: set('SigIgn'), blocked: set('SigBlk') }
}
