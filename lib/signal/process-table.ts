/** The processes of this system, as the kernel lists them: in /proc (proc(5)), or where there is none to the addon. */
import { readdirSync, readFileSync } from 'node:fs'
import { native } from '../native/load.js'

export interface ProcessEntry {
  readonly pid: number
  readonly parent: number
  /** 'Z': it has ended, and waits to be reaped. */
  readonly state: string
  /** In the kernel's ticks since its start, or the addon's microseconds: with the pid it names one process for ever. */
  readonly startedAt: number
}

/** Undefined when there is no such process. */
export function processEntry(pid: number): ProcessEntry | undefined {
  if (native().processTable) return processTable().find((entry) => entry.pid === pid)
  const stat = read(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  // The name before it may hold any character, ')' too.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { pid, state: fields[0] as string, parent: Number(fields[1]), startedAt: Number(fields[19]) }
}

export function processTable(): ProcessEntry[] {
  const numbers = native().processTable?.()
  if (numbers) return entriesIn(numbers)
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (processEntry(Number(name)) ?? []) : []))
}

function entriesIn(numbers: Float64Array): ProcessEntry[] {
  const entries: ProcessEntry[] = []
  for (let i = 0; i < numbers.length; i += 4) {
    const [pid, parent, hasEnded, startedAt] = numbers.subarray(i, i + 4) as unknown as [number, number, number, number]
    entries.push({ pid, parent, state: hasEnded === 1 ? 'Z' : '', startedAt })
  }
  return entries
}

/** Whether its environment had this entry when its program was started; false where that may not be read. */
export function hasEnvironmentEntry(pid: number, entry: string): boolean {
  const { hasEnvironmentEntry: asked } = native()
  if (asked) return asked(pid, entry)
  return `\0${read(`/proc/${pid}/environ`) ?? ''}`.includes(`\0${entry}\0`)
}

/** Undefined for a process that has ended, or that may not be looked at. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return undefined
  }
}
