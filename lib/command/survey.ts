/** What all processes do with the signals that end a process, as far as the kernel tells it to this one (proc(5)). */
import { closeSync, constants as files, openSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { constants, uptime } from 'node:os'
import { EXIT_FD_VARIABLE, EXIT_INODE_VARIABLE } from '../event/source.js'
import { native } from '../native/load.js'
import { signalBit } from '../signal/names.js'
import { ProcStatus } from '../signal/proc-status.js'
import { type ProcessEntry, processEntry, type ToldProcess, toldProcesses } from '../signal/process-table.js'

const { SIGHUP, SIGINT, SIGQUIT, SIGTERM } = constants.signals

/** In the order in which they are shown. */
export const terminating = [SIGINT, SIGTERM, SIGHUP, SIGQUIT] as const
const terminatingSet = terminating.reduce((set, number) => set | signalBit(number), 0n)

const ORPHANED = 2
/** The kernel's USER_HZ, the same on all machines that sigshield runs on. */
const TICKS_PER_SECOND = 100

export interface SurveyedProcess extends ProcessEntry {
  /** The real user id. */
  readonly uid: number
  /** Whether its parent is gone. */
  readonly isOrphaned: boolean
  readonly ageMs: number
  readonly ignored: bigint
  /** Undefined where the system does not tell. */
  readonly blocked: bigint | undefined
  readonly caught: bigint
  readonly noNewPrivs: boolean
  /** Whether it has a seccomp filter that not all processes have: the kernel shows nobody what a filter does. */
  readonly isFiltered: boolean
  /** Its arguments; empty for a process that has none. */
  readonly command: readonly string[]
  /** As the kernel shortens it. */
  readonly name: string
}

export interface Survey {
  /** That ignore or block a terminating signal; ascending. */
  readonly processes: readonly SurveyedProcess[]
  /** How many may not be read. */
  readonly unreadable: number
}

type Read = SurveyedProcess & { readonly filters: number }

/** @throws a system error where processes can't be listed. Kernel threads, and what has ended, are none. */
export function survey(ofAllUsers: boolean): Survey {
  const told = toldProcesses()
  if (told) return surveyTold(told, ofAllUsers)
  const table = new Map<number, ProcessEntry>()
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
  let unreadable = 0
  for (const pid of pids) {
    const entry = processEntry(pid)
    if (entry !== undefined) table.set(pid, entry)
    else if (isUnreadable(pid) && (ofAllUsers || isOwn(pid))) unreadable += 1
  }
  const uptimeMs = uptime() * 1000
  const found: Read[] = []
  for (const entry of table.values()) {
    if (entry.isKernelThread || entry.state === 'Z') continue
    const read = readProcess(entry, table, uptimeMs)
    if (read === 'unreadable') unreadable += isOwn(entry.pid) || ofAllUsers ? 1 : 0
    else if (read !== 'gone') found.push(read)
  }
  const fewest = Math.min(...found.map(({ filters }) => filters))
  const processes = found
    .filter(
      ({ uid, ignored, blocked }) =>
        (ofAllUsers || uid === ownUid()) && ((ignored | (blocked ?? 0n)) & terminatingSet) !== 0n,
    )
    .map(({ filters, ...process }) => ({ ...process, isFiltered: filters > fewest }))
    .sort((a, b) => a.pid - b.pid)
  return { processes, unreadable }
}

/** One process, whatever it does with its signals. Undefined where there is none. @throws a system error where it may not be read. */
export function surveyOne(pid: number): SurveyedProcess | undefined {
  const told = toldProcesses(pid)
  if (told) return told[0] && surveyedOf(told[0], processEntry(told[0].parent))
  const entry = processEntry(pid)
  if (entry === undefined) return undefined
  const parent = processEntry(entry.parent)
  const table = new Map(parent === undefined ? [] : [[parent.pid, parent]])
  const uptimeMs = uptime() * 1000
  const read = readProcess(entry, table, uptimeMs)
  if (read === 'unreadable') throw Object.assign(new Error('it may not be read'), { code: 'EACCES' })
  return read === 'gone' ? undefined : read
}

function surveyTold(told: readonly ToldProcess[], ofAllUsers: boolean): Survey {
  const table = new Map(told.map((entry) => [entry.pid, entry]))
  const processes = told
    .filter(({ state, uid, ignored }) => state !== 'Z' && (ofAllUsers || uid === ownUid()) && ignored & terminatingSet)
    .map((entry) => surveyedOf(entry, table.get(entry.parent)))
  return { processes: processes.sort((a, b) => a.pid - b.pid), unreadable: 0 }
}

/** Of masks, filters and the exit events of others such a system tells nothing. */
function surveyedOf(entry: ToldProcess, parent: ProcessEntry | undefined): SurveyedProcess {
  const [name = '', ...command] = native().processNameAndArguments?.(entry.pid) ?? []
  return {
    ...entry,
    isOrphaned: isInAnothersSession(entry, parent),
    ageMs: Math.max(0, Date.now() - entry.startedAt / 1000),
    blocked: undefined,
    noNewPrivs: false,
    isFiltered: false,
    command,
    name,
  }
}

function ownUid(): number {
  return process.getuid?.() ?? -1
}

/** Where others are hidden (hidepid of proc(5)). */
function isUnreadable(pid: number): boolean {
  try {
    readFileSync(`/proc/${pid}/stat`)
    return false
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'EACCES' || code === 'EPERM'
  }
}

/** As far as its folder tells. */
function isOwn(pid: number): boolean {
  try {
    return statSync(`/proc/${pid}`).uid === ownUid()
  } catch {
    return false
  }
}

function readProcess(
  entry: ProcessEntry,
  table: ReadonlyMap<number, ProcessEntry>,
  uptimeMs: number,
): Read | 'gone' | 'unreadable' {
  const { pid, startedAt } = entry
  try {
    const status = new ProcStatus(pid)
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1)
    // The number may be another's by now.
    if (processEntry(pid)?.startedAt !== startedAt) return 'gone'
    return {
      ...entry,
      uid: Number(status.field('Uid')),
      isOrphaned: isOrphaned(entry, table.get(entry.parent)),
      ageMs: Math.max(0, uptimeMs - (startedAt * 1000) / TICKS_PER_SECOND),
      ignored: status.set('SigIgn'),
      blocked: status.set('SigBlk'),
      caught: status.set('SigCgt'),
      noNewPrivs: status.field('NoNewPrivs') === '1',
      isFiltered: false,
      // Before Linux 5.9 they are not counted.
      filters: Number(status.field('Seccomp_filters')) || (status.field('Seccomp') === '2' ? 1 : 0),
      command,
      name: nameOf(pid),
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return 'gone'
    if (code === 'EACCES' || code === 'EPERM') return 'unreadable'
    throw error
  }
}

function nameOf(pid: number): string {
  return readFileSync(`/proc/${pid}/comm`, 'utf8').slice(0, -1)
}

/**
 * The kernel does not say who was whose parent. A process has its parent's session, unless it leads one itself: in another's session
 * than its parent's, it was left to that parent. One with an exit event can be asked.
 */
function isOrphaned(entry: ProcessEntry, parent: ProcessEntry | undefined): boolean {
  return isInAnothersSession(entry, parent) || exitEventOf(entry.pid) === ORPHANED
}

function isInAnothersSession({ pid, session }: ProcessEntry, parent: ProcessEntry | undefined): boolean {
  return parent !== undefined && session !== pid && session !== parent.session
}

/** The state of its exit event; 0 where it has none, or it may not be looked at. */
function exitEventOf(pid: number): number {
  try {
    const entries = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0')
    const value = (name: string) => entries.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1)
    const fd = value(EXIT_FD_VARIABLE)
    const inode = value(EXIT_INODE_VARIABLE)
    if (fd === undefined || !/^\d+$/.test(fd) || inode === undefined) return 0
    const path = `/proc/${pid}/fd/${fd}`
    const status = statSync(path)
    if (!status.isFIFO() || String(status.ino) !== inode) return 0
    const pipe = openSync(path, files.O_RDONLY | files.O_NONBLOCK)
    try {
      return native().waitForExitEvent(pipe, 0)
    } finally {
      closeSync(pipe)
    }
  } catch {
    return 0
  }
}
