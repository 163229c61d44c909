/**
 * All that has come of one child. Its descendants are found by their parents, and those whose parents are gone by the variable
 * of the child's exit event, which all inherit. Out of reach is only what was given another environment and left its parent
 * before anybody looked.
 */
import { constants } from 'node:os'
import { inodesNamed } from '../event/source.js'
import { native } from '../native/load.js'
import { setTimeout, time } from '../node/clock.js'
import { isShortage, unlessShort } from '../signal/kernel-file.js'
import { environmentOf, type ProcessEntry, processEntry, processTable } from '../signal/process-table.js'
import { LOOK_AGAIN_MS, latestTable } from './latest-table.js'

/** What does not end after a SIGKILL within this time is waiting for the kernel, and may do so for ever. */
const LONGEST_MS = 2000
/** The table is no single moment: what is started while it is read may stand before what is read next. */
const LOOKS_AT_NOTHING = 2
/** In the middle of its execve a process shows no environment. What shows none for so long has none. */
const LONGEST_EXECVE_MS = 1000
/** How often the end of this process looks again. Not a time, which passes where the host lets nobody run. */
const LOOKS_AT_END = 10

/** Children of what is found, and theirs: until there are no more. */
export function addDescendants(found: Set<number>, table: Iterable<ProcessEntry>): void {
  const entries = [...table]
  for (let size = 0; size < found.size; ) {
    size = found.size
    for (const { pid, parent } of entries) if (found.has(parent)) found.add(pid)
  }
}

interface Look {
  readonly startedAt: number
  readonly since: number
  isMarked: boolean | undefined
}

/** What one look at the table has shown. */
interface Sight {
  /** Without the child itself, and without what has ended. */
  readonly descendants: readonly ProcessEntry[]
  /** Whether something shows no environment yet, and may turn out to be one of them; undefined where that can't be told. */
  readonly isAnyUntold: boolean | undefined
}

/** By what a tree is known. */
interface Origin {
  readonly root: ProcessEntry | undefined
  /** Pipes, by their inodes. */
  readonly marks: ReadonlySet<string>
  /** Undefined: any. */
  readonly session: number | undefined
}

function originOf(pid: number | undefined, inodes: readonly bigint[], sameSession: boolean): Origin {
  const root = pid === undefined ? undefined : processEntry(pid)
  return {
    root,
    // Without its root a tree is not known to be older than what has the same mark.
    marks: new Set(pid !== undefined && !root ? [] : inodes.map(String)),
    session: sameSession ? processEntry(pid ?? process.pid)?.session : undefined,
  }
}

export class Tree {
  readonly #pid: number | undefined
  readonly #inodes: readonly bigint[]
  readonly #sameSession: boolean
  /** Undefined while there was nothing to look with. */
  #origin: Origin | undefined
  /** Why there was nothing. */
  #shortage: unknown
  /** Whose environments were looked at, as that costs most. */
  readonly #looked = new Map<number, Look>()
  /** What all were told last, and which of them. */
  #latest: { readonly signal: number; readonly told: Set<number> } | undefined
  /** Those that were seen, by pid. */
  readonly #known = new Map<number, ProcessEntry>()

  /** `inode` is the child's own pipe, if it has one. With `sameSession` what is in another session is no part of it. */
  constructor(pid: number, inode: bigint | undefined, sameSession?: boolean)
  /** What children have left behind that have ended, in the session of this process, by their pipes. */
  constructor(pid: undefined, inodes: readonly bigint[])
  constructor(pid: number | undefined, inodes: bigint | readonly bigint[] = [], sameSession = pid === undefined) {
    this.#pid = pid
    this.#inodes = typeof inodes === 'bigint' ? [inodes] : inodes
    this.#sameSession = sameSession
    this.#begin(pid)
  }

  #begin(pid: number | undefined): void {
    if (this.#origin !== undefined) return
    try {
      this.#origin = originOf(pid, this.#inodes, this.#sameSession)
    } catch (error) {
      if (!isShortage(error)) throw error
      this.#shortage = error
    }
  }

  /** Where there is nothing to look with, those that were seen before. */
  #see(): Sight {
    const { root, marks } = this.#origin ?? {}
    if (root === undefined && !marks?.size) return { descendants: [], isAnyUntold: false }
    const table = latestTable()
    if (table === undefined) return { descendants: [...this.#known.values()], isAnyUntold: undefined }
    const isSame = (one: ProcessEntry | undefined) =>
      one !== undefined && table.get(one.pid)?.startedAt === one.startedAt
    const found = new Set<number>([...this.#known.values()].filter(isSame).map(({ pid }) => pid))
    if (root && isSame(root)) found.add(root.pid)
    const untold: ProcessEntry[] = []
    for (const entry of table.values()) {
      if (found.has(entry.pid) || !this.#mayBeMarked(entry)) continue
      // Once in a look: the next answer may be another.
      const isMarked = this.#isMarked(entry)
      if (isMarked) found.add(entry.pid)
      else if (isMarked === undefined) untold.push(entry)
    }
    addDescendants(found, table.values())
    const isAnyUntold = untold.some((entry) => !found.has(entry.pid) && this.#isMeant(entry))
    if (root) found.delete(root.pid)
    const descendants = [...found].map((pid) => table.get(pid) as ProcessEntry).filter((entry) => this.#isMeant(entry))
    for (const entry of descendants) this.#known.set(entry.pid, entry)
    return { descendants, isAnyUntold }
  }

  #isMeant({ state, session }: ProcessEntry): boolean {
    const { session: only } = this.#origin ?? {}
    return state !== 'Z' && (only === undefined || session === only)
  }

  #mayBeMarked({ pid, startedAt, state, isKernelThread }: ProcessEntry): boolean {
    const { root, marks } = this.#origin ?? {}
    if (!marks?.size || isKernelThread || state === 'Z') return false
    if (pid === process.pid || pid === root?.pid) return false
    return startedAt >= (root?.startedAt ?? 0)
  }

  /** Undefined: it can't be told yet. */
  #isMarked({ pid, startedAt }: ProcessEntry): boolean | undefined {
    const known = this.#looked.get(pid)
    const look = known?.startedAt === startedAt ? known : { startedAt, since: time(), isMarked: undefined }
    this.#looked.set(pid, look)
    if (look.isMarked !== undefined) return look.isMarked
    const seen = unlessShort(() => ({ environment: environmentOf(pid) }))
    if (seen === undefined) return undefined
    if (seen.environment) look.isMarked = inodesNamed(seen.environment).some((inode) => this.#origin?.marks.has(inode))
    else if (time() - look.since > LONGEST_EXECVE_MS) look.isMarked = false
    return look.isMarked
  }

  /** Whether there are none, and nothing that may still turn out to be one. */
  #isNoneLeft({ descendants, isAnyUntold }: Sight): boolean {
    return descendants.length === 0 && this.#origin !== undefined && isAnyUntold === false
  }

  /** The child has ended before there was anything to look with, and had no mark. */
  #wasNeverSeen(): boolean {
    return this.#shortage !== undefined && this.#origin?.root === undefined && !this.#origin?.marks.size
  }

  /** Takes note of those that live, before a parent is lost: the child has not been reaped. */
  look(): void {
    this.#begin(this.#pid)
    this.#see()
  }

  /** What has ended, or may not be signalled, is passed over. Returns whether another look may find more that is to be told. */
  signal(signal: number): boolean {
    if (signal !== constants.signals.SIGCONT) this.#latest = { signal, told: new Set() }
    const { descendants, isAnyUntold = false } = this.#see()
    for (const entry of descendants) this.#tell(entry, signal)
    return descendants.length > 0 || isAnyUntold
  }

  /** Tells what was being started as the others were told, and what was in the middle of its execve. Returns the same. */
  signalRest(): boolean {
    const { descendants, isAnyUntold = false } = this.#see()
    return this.#tellOrphans(descendants) || isAnyUntold
  }

  /** Itself too, and at once. */
  killNow(): void {
    // The child first, as in a stop.
    const { root } = this.#origin ?? {}
    if (root) native().signalProcess(root.pid, root.startedAt, constants.signals.SIGKILL)
    this.signal(constants.signals.SIGKILL)
  }

  #tell(entry: ProcessEntry, signal: number): void {
    this.#latest?.told.add(entry.pid)
    native().signalProcess(entry.pid, entry.startedAt, signal)
  }

  /**
   * Resolves when none is left, or `isOver` says so. What was being started when the others were told is told too when its parent is
   * gone. What one of them starts that lives on is a part of its own end: a shell's `trap` has commands.
   */
  async gone(isOver: () => boolean): Promise<void> {
    for (let looks = 0; looks < LOOKS_AT_NOTHING && !isOver(); ) {
      this.#begin(undefined)
      const sight = this.#see()
      looks = this.#isNoneLeft(sight) ? looks + 1 : 0
      this.#tellOrphans(sight.descendants)
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS))
    }
  }

  /** Returns whether there was any that had not been told. */
  #tellOrphans(left: readonly ProcessEntry[]): boolean {
    if (this.#latest === undefined) return false
    const { signal, told } = this.#latest
    const parents = new Set([this.#origin?.root?.pid, ...left.map(({ pid }) => pid)])
    const orphans = left.filter(({ pid, parent }) => !told.has(pid) && !parents.has(parent))
    for (const one of orphans) this.#tell(one, signal)
    return orphans.length > 0
  }

  /**
   * Kills them, and resolves when none is left.
   * @throws (as a rejection) a system error, where there is no descriptor or memory to look with: some may live.
   */
  async kill(): Promise<void> {
    const deadline = time() + LONGEST_MS
    for (let looks = 0; time() < deadline; ) {
      // The child has ended: its pid may be another's.
      this.#begin(undefined)
      if (this.#wasNeverSeen()) throw this.#shortage
      const sight = this.#see()
      looks = this.#isNoneLeft(sight) ? looks + 1 : 0
      if (looks === LOOKS_AT_NOTHING) return
      for (const { pid, startedAt } of sight.descendants)
        native().signalProcess(pid, startedAt, constants.signals.SIGKILL)
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS))
    }
    if (latestTable() === undefined) processTable() // Throws what keeps it from being told.
  }
}

/** Tells the rest of trees that were told, in a process that ends now: it blocks this thread. */
export function signalRestAtEnd(trees: readonly Tree[]): void {
  let open = trees
  for (let looks = 0; looks < LOOKS_AT_END && open.length > 0; looks++) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_AGAIN_MS + 1)
    open = open.filter((tree) => tree.signalRest())
  }
}
