/** The processes of this system, as the kernel lists them (proc(5)). Linux alone. */
import { readdirSync, readFileSync } from 'node:fs'

export interface ProcessEntry {
  readonly pid: number
  readonly parent: number
  readonly session: number
  /** 'Z': it has ended, and waits to be reaped. */
  readonly state: string
  /** In the kernel's ticks since its start: with the pid it names one process for ever. */
  readonly startedAt: number
}

/** Undefined when there is no such process. */
export function processEntry(pid: number): ProcessEntry | undefined {
  const stat = read(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  // The name before it may hold any character, ')' too.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [parent, session, startedAt] = [1, 3, 19].map((i) => Number(fields[i])) as [number, number, number]
  return { pid, state: fields[0] as string, parent, session, startedAt }
}

export function processTable(): ProcessEntry[] {
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (processEntry(Number(name)) ?? []) : []))
}

/** Whether its environment had this entry when its program was started; false where that may not be read. */
export function hasEnvironmentEntry(pid: number, entry: string): boolean {
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
