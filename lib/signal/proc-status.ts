/** The kernel's own account of a process: /proc/PID/status (proc_pid_status(5)). */
import { readFileSync } from 'node:fs'

export class ProcStatus {
  readonly #text: string

  /** @throws a system error (`ENOENT` when there is no such process). */
  constructor(pid: number) {
    this.#text = readFileSync(`/proc/${pid}/status`, 'latin1')
  }

  /** Its first word; '0' where the kernel has no such field. */
  field(name: string): string {
    return new RegExp(`^${name}:\\s*(\\w+)`, 'm').exec(this.#text)?.[1] ?? '0'
  }

  /** A set of signals, as in lib/signal/names.ts. */
  set(name: string): bigint {
    return BigInt(`0x${this.field(name)}`)
  }
}
