/** Which descriptors a child gets: its stdio, then the exit event. */
import { type ChildEnd, childVariables, EXIT_FD } from '../event/source.js'
import { native } from '../native/load.js'
import { NEW_PIPE, NO_DESCRIPTOR } from '../native/wire.js'
import type { StdioEntry } from '../node/child-process-contract.js'

/** The descriptor of ours that an entry names, as the 32-bit integer that libuv makes of it. */
function sourceOf({ type, fd, handle }: StdioEntry): number | undefined {
  if (type === 'wrap') return handle?.fd
  return type === 'fd' || type === 'inherit' ? Number(fd) | 0 : undefined
}

/** libuv's own rule: -1 names none. */
export function namesNone(entry: StdioEntry): boolean {
  return sourceOf(entry) === -1
}

/**
 * 0, or the negative errno of one that is not open. To be asked before anything is opened for the start: its number could become that
 * of our own, which the child must not get.
 */
export function checkOpen(stdio: readonly StdioEntry[]): number {
  const sources: number[] = []
  for (const entry of stdio) {
    const fd = sourceOf(entry) ?? NO_DESCRIPTOR
    if (fd >= 0) sources.push(fd)
  }
  return sources.length === 0 ? 0 : native().checkOpen(Int32Array.from(sources))
}

/**
 * The child's descriptors, and the variables that name the exit event. `spare`: how many more may be put between the stdio and
 * the exit event.
 */
export function handOver(stdio: readonly StdioEntry[], childEnd: ChildEnd | undefined, spare: number) {
  const sources = stdio.map((entry) => {
    if (entry.type === 'pipe' || entry.type === 'overlapped') return NEW_PIPE
    // libuv takes any negative number for none.
    return Math.max(sourceOf(entry) ?? NO_DESCRIPTOR, NO_DESCRIPTOR)
  })
  if (childEnd === undefined) {
    return {
      descriptors: sources,
      changes: childVariables(undefined),
      exitSource: NO_DESCRIPTOR,
      exitTarget: NO_DESCRIPTOR,
    }
  }
  // Where the child may not have so many descriptors, right after the stdio; and where that is beyond its limit, in a gap.
  const first = sources.length + spare
  const limit = native().descriptorLimit()
  const last = limit > EXIT_FD ? Math.max(first, EXIT_FD) : first
  const gap = sources.findLastIndex((fd, target) => fd === NO_DESCRIPTOR && target > 2 && target < limit)
  const exitTarget = last < limit || gap < 0 ? last : gap
  const changes = childVariables({ fd: exitTarget, inode: childEnd.inode })
  return { descriptors: sources, changes, exitSource: childEnd.fd, exitTarget }
}
