/** The processes of this system, as the kernel lists them (proc(5)). Linux alone. */
import { readdirSync } from 'node:fs'
import { kernelFile } from './kernel-file.js'

export interface ProcessEntry {
  readonly pid: number
  readonly parent: number
  /** 'Z': it has ended, and waits to be reaped. */
  readonly state: string
  /** In the kernel's ticks since its start: with the pid it names one process for ever. */
  readonly startedAt: number
  /** Its process group. */
  readonly group: number
  readonly session: number
  readonly isKernelThread: boolean
}

/** PF_KTHREAD of the kernel's flags. */
const KERNEL_THREAD = 0x0020_0000

/** Undefined when there is no such process. */
export function processEntry(pid: number): ProcessEntry | undefined {
  const stat = kernelFile(`/proc/${pid}/stat`)
  return stat === undefined ? undefined : entryOf(pid, stat)
}

/** `stat`: what /proc/PID/stat says. */
export function entryOf(pid: number, stat: string): ProcessEntry {
  // The name before it may hold any character, ')' too.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state, parent, group, session, , , flags] = fields
  return {
    pid,
    state: state as string,
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    startedAt: Number(fields[19]),
    isKernelThread: (Number(flags) & KERNEL_THREAD) !== 0,
  }
}

export function processTable(): ProcessEntry[] {
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (processEntry(Number(name)) ?? []) : []))
}

/** Whether its environment had this entry when its program was started; false where that may not be read. */
export function hasEnvironmentEntry(pid: number, entry: string): boolean {
  return `\0${kernelFile(`/proc/${pid}/environ`) ?? ''}`.includes(`\0${entry}\0`)
}
