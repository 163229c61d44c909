/** The processes of this system, as the kernel lists them: in /proc (proc(5)), or where there is none to the addon. */
import { readdirSync } from 'node:fs'
import { native } from '../native/load.js'
import { otherRuntime } from '../node/runtime.js'
import { kernelFile } from './kernel-file.js'

export interface ProcessEntry {
  readonly pid: number
  readonly parent: number
  /** 'Z': it has ended, and waits to be reaped. */
  readonly state: string
  /** In the kernel's ticks since its start, or the addon's microseconds: with the pid it names one process for ever. */
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
  if (fromAddon()) return processTable().find((entry) => entry.pid === pid)
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
  const numbers = fromAddon()?.processTable?.()
  if (numbers) return entriesIn(numbers)
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (processEntry(Number(name)) ?? []) : []))
}

/** The addon, where there is no /proc. Other runtimes have none. */
function fromAddon() {
  const addon = otherRuntime() ? undefined : native()
  return addon?.processTable && addon
}

function entriesIn(numbers: Float64Array): ProcessEntry[] {
  const entries: ProcessEntry[] = []
  for (let i = 0; i < numbers.length; i += 6) {
    const [pid, parent, hasEnded, startedAt, group, session] = numbers.subarray(i, i + 6) as unknown as number[]
    const state = hasEnded === 1 ? 'Z' : ''
    entries.push({ pid, parent, state, startedAt, group, session, isKernelThread: false } as ProcessEntry)
  }
  return entries
}

/** Whether its environment had this entry when its program was started; false where that may not be read. */
export function hasEnvironmentEntry(pid: number, entry: string): boolean {
  const asked = fromAddon()?.hasEnvironmentEntry
  if (asked) return asked(pid, entry)
  return `\0${kernelFile(`/proc/${pid}/environ`) ?? ''}`.includes(`\0${entry}\0`)
}
