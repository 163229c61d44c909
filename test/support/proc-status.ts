import { readFileSync } from 'node:fs'

export interface SignalState {
  readonly ignored: number[]
  readonly blocked: number[]
}

/** The kernel's own account of a process's signals. */
export function signalState(pid: number): SignalState {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  const set = (name: string) => {
    const bits = BigInt(`0x${new RegExp(`^${name}:\\s*(\\w+)$`, 'm').exec(status)?.[1]}`)
    return Array.from({ length: 64 }, (_, i) => i + 1).filter((signal) => (bits >> BigInt(signal - 1)) & 1n)
  }
  return { ignored: set('SigIgn'), blocked: set('SigBlk') }
}
