/** What children have left behind that have ended: it ignores what they ignored, and nobody else knows of it. */
import { constants } from 'node:os'
import { Countdown } from '../end/countdown.js'
import { latestTable } from '../end/latest-table.js'
import { Tree } from '../end/tree.js'
import { inodesNamed } from '../event/source.js'
import { setTimeout, time } from '../node/clock.js'
import { unlessShort } from '../signal/kernel-file.js'
import { environmentOf, processEntry } from '../signal/process-table.js'

const { SIGTERM } = constants.signals

/** Of more than these the oldest are forgotten. */
const MOST_CHILDREN = 1000
const FIRST_LOOK_MS = 100
/** A look takes milliseconds where there are many processes: no more than one part in so many is for looks. */
const LOOK_SHARE = 50

export class Leftovers {
  /** The pipes of the children, and how long what has their mark is given to end. */
  readonly #graces = new Map<bigint, number>()
  readonly #onNone: () => void
  #isToLook = false

  /** `onNone`: called when a look has found that there are none any more. */
  constructor(onNone: () => void) {
    this.#onNone = onNone
  }

  /** What may be there: a descendant need not hold the pipe. */
  add(inode: bigint, grace: number): void {
    this.#graces.set(inode, grace)
    const [oldest] = this.#graces.keys()
    if (this.#graces.size > MOST_CHILDREN) this.#graces.delete(oldest as bigint)
    this.#lookAfter(FIRST_LOOK_MS)
  }

  #lookAfter(ms: number): void {
    if (this.#isToLook) return
    this.#isToLook = true
    setTimeout(() => {
      this.#isToLook = false
      const start = time()
      const inUse = new Set(inodesInUse([...this.#graces.keys()]))
      for (const inode of this.#graces.keys()) if (!inUse.has(inode)) this.#graces.delete(inode)
      if (this.isPossible) this.#lookAfter(Math.max(FIRST_LOOK_MS, LOOK_SHARE * (time() - start)))
      else this.#onNone()
    }, ms).unref()
  }

  /** Whether there may be any. */
  get isPossible(): boolean {
    return this.#graces.size > 0
  }

  get #tree(): Tree {
    return new Tree(undefined, [...this.#graces.keys()])
  }

  /** This process ends at once. Returns what may have more that is to be told. */
  abandon(): Tree[] {
    if (!this.isPossible) return []
    const tree = this.#tree
    return tree.signal(SIGTERM) ? [tree] : []
  }

  /** Resolves when nothing is left. */
  async end(): Promise<void> {
    if (!this.isPossible) return
    const tree = this.#tree
    tree.signal(SIGTERM)
    let isOver = false
    const countdown = new Countdown(
      Math.max(...this.#graces.values()),
      () => false,
      () => {
        isOver = true
      },
    )
    await tree.gone(() => isOver)
    countdown.stop()
    await kill(tree)
  }

  async endAtOnce(): Promise<void> {
    if (this.isPossible) await kill(this.#tree)
  }
}

/** Those of these pipes whose mark something in the session of this process has, or may turn out to have. */
function inodesInUse(inodes: readonly bigint[]): readonly bigint[] {
  const inUse = unlessShort(inodesInSession)
  return inUse ? inodes.filter((inode) => inUse.has(String(inode))) : inodes
}

/** Undefined where it can't be told. */
function inodesInSession(): ReadonlySet<string> | undefined {
  const session = processEntry(process.pid)?.session
  const inUse = new Set<string>()
  const table = latestTable()
  for (const entry of table?.values() ?? []) {
    if (entry.session !== session || entry.state === 'Z' || entry.pid === process.pid) continue
    const environment = environmentOf(entry.pid)
    if (environment === undefined) return undefined
    for (const inode of inodesNamed(environment)) inUse.add(inode)
  }
  return table && inUse
}

/** This process ends, whether they can be found or not. */
async function kill(tree: Tree): Promise<void> {
  await tree.kill().catch((error: Error) => process.emitWarning(error))
}
