/** What Node's synchronous functions make of `stdio` and of how a child ended (lib/child_process.js of Node 20 to 26). */
import { types } from 'node:util'
import type { StdioEntry } from './child-process-contract.js'

type Handle = NonNullable<StdioEntry['handle']>

export interface SyncStdio {
  readonly stdio: readonly StdioEntry[]
  /** The first entry is a pipe that the child reads: all others are written by it. */
  readonly hasInput: boolean
  /** Of the entries that are the caller's. */
  readonly count: number
}

/**
 * The table that Node makes of a `stdio` that it has accepted. Bytes and words that it does not know have no entry: later ones
 * move up.
 */
export function syncStdio(given: string | readonly unknown[]): SyncStdio {
  const sources = typeof given === 'string' ? [given, given, given] : given
  const stdio: StdioEntry[] = []
  let hasInput = false
  // Skips holes, as Node does.
  sources.forEach((source, i) => {
    const entry = entryOf(source ?? (i < 3 ? 'pipe' : 'ignore'), i)
    if (i === 0 && entry?.type === 'pipe') hasInput = true
    if (entry) stdio.push(entry)
  })
  const count = stdio.length
  // The kernel's own three are always there.
  while (stdio.length < 3) stdio.push({ type: 'ignore' })
  return { stdio, hasInput, count }
}

function entryOf(source: unknown, target: number): StdioEntry | undefined {
  if (source === 'ignore') return { type: 'ignore' }
  if (source === 'inherit') return { type: 'inherit', fd: target }
  if (source === 'pipe' || source === 'overlapped' || (typeof source === 'number' && source < 0))
    return { type: 'pipe' }
  if (typeof source === 'number') return { type: 'fd', fd: source }
  const { fd, handle, _handle } = source as { fd?: number; handle?: Handle; _handle?: Handle }
  if (typeof fd === 'number') return { type: 'fd', fd }
  if (typeof source === 'string' || types.isArrayBufferView(source)) return undefined
  return { type: 'wrap', handle: typeof handle?.fd === 'number' ? handle : (_handle as Handle) }
}

const major = Number(process.versions.node.split('.')[0])

/** What stands for the output of a program that was not started. */
export const NO_OUTPUT = major < 22 ? null : undefined
