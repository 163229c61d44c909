/** The processes of this system, as the kernel lists them: in /proc (proc(5)), or where there is none to the addon. */
import { readdirSync } from 'node:fs'
import { native } from '../native/load.js'
import { unavailable } from '../node/errors.js'
import { otherRuntime } from '../node/runtime.js'
import { processFile, unlessShort } from './kernel-file.js'

export interface ProcessEntry {
  readonly pid: number
  readonly parent: number
  /** 'Z': it has ended, and waits to be reaped. 'T': it is stopped. Others: it lives. */
  readonly state: string
  /** In the kernel's ticks since its start, or the addon's microseconds since 1970: with the pid it names one process for ever. */
  readonly startedAt: number
  /** Its process group. */
  readonly group: number
  readonly session: number
  readonly isKernelThread: boolean
}

/** PF_KTHREAD of the kernel's flags. */
const KERNEL_THREAD = 0x0020_0000

/** What the addon tells of a process, where there is no /proc. */
export interface ToldProcess extends ProcessEntry {
  /** The real user id. */
  readonly uid: number
  readonly ignored: bigint
  readonly caught: bigint
}

/** All processes, or the one with this pid if there is one. Undefined where /proc is to be read. */
export function toldProcesses(pid?: number): ToldProcess[] | undefined {
  const table = fromAddon()?.processTable
  if (table === undefined) return undefined
  return entriesIn(pid === undefined ? table() : table(pid))
}

/** Undefined when there is no such process. */
export function processEntry(pid: number): ProcessEntry | undefined {
  const told = toldProcesses(pid)
  if (told) return told[0]
  const stat = processFile(pid, 'stat')
  return stat === undefined ? undefined : entryOf(pid, stat)
}

/** `stat`: what /proc/PID/stat says. */
export function entryOf(pid: number, stat: string): ProcessEntry {
  // The name before it may hold any character, ')' too.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state, parent, group, session, , , flags] = fields
  return {
    pid,
    // A first thread that has ended before the others looks as if all had.
    state: state === 'Z' && Number(fields[17]) > 1 ? 'S' : (state as string),
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    startedAt: Number(fields[19]),
    isKernelThread: (Number(flags) & KERNEL_THREAD) !== 0,
  }
}

/**
 * @param what - what is found among the processes.
 * @throws Error `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` where this process sees none of them, not even itself, or others by their numbers.
 */
export function requireProcesses(what: string): void {
  if (unlessShort(() => processEntry(process.pid) ?? 'none') !== 'none') return
  throw unavailable(
    `${what} in /proc, which this process can’t read, or is of another pid namespace. Mount its own, or start Node with ` +
      "--allow-fs-read='/proc/*'",
  )
}

export function processTable(): ProcessEntry[] {
  const told = toldProcesses()
  if (told) return told
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (processEntry(Number(name)) ?? []) : []))
}

/** The addon, where there is no /proc. Other runtimes have none. */
function fromAddon() {
  const addon = otherRuntime() ? undefined : native()
  return addon?.processTable && addon
}

/** How many tell of one. */
const NUMBERS = 9

function entriesIn(numbers: Float64Array): ToldProcess[] {
  return Array.from({ length: numbers.length / NUMBERS }, (_, i) => {
    const of = numbers.subarray(i * NUMBERS, (i + 1) * NUMBERS)
    const [pid, parent, state, startedAt, group, session, uid, ignored, caught] = of as unknown as [
      ...[number, number, number, number, number, number, number, number, number],
    ]
    return {
      ...{ pid, parent, startedAt, group, session, uid, isKernelThread: false },
      state: state === 0 ? '' : String.fromCharCode(state),
      ignored: BigInt(ignored),
      caught: BigInt(caught),
    }
  })
}

/**
 * The entries that its program was started with; none where they may not be read. Undefined in the middle of its execve: it has no
 * environment yet, as one that was given none.
 */
export function environmentOf(pid: number): readonly string[] | undefined {
  const addon = fromAddon()
  if (addon) return addon.processEnvironment?.(pid)
  const text = processFile(pid, 'environ') ?? '\0'
  return text === '' ? undefined : text.split('\0')
}
