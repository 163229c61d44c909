/**
 * As process 1 of a container this process inherits all whose parents are gone, and must reap them. Whom code in this process has
 * started is that code's to reap.
 */
import type { ChildProcess } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import { readFileSync } from 'node:fs'
import { native } from '../native/load.js'
import { setTimeout, time } from '../node/clock.js'
import { isMainThread } from '../node/thread.js'
import { unlessShort } from '../signal/kernel-file.js'
import { processEntry, processTable, requireProcesses } from '../signal/process-table.js'

/**
 * Who has started a process reaps it at once. What stays longer than this is nobody's: Node's own are known besides, and so are
 * those of worker threads, as the kernel lists the children of each thread apart.
 */
const NOBODYS_AFTER_MS = 1000

let isStarted = false

/**
 * Nothing happens in a process that is not 1.
 * @throws Error `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` where they can't be seen.
 */
export function reapAsInit(): void {
  if (isStarted || process.pid !== 1 || !isMainThread() || process.platform !== 'linux') return
  requireProcesses('Those whom process 1 inherits, and must reap, are found')
  isStarted = true
  const started = new Set<WeakRef<ChildProcess>>()
  subscribe('child_process', (message) => {
    started.add(new WeakRef((message as { process: ChildProcess }).process))
  })
  /** Zombies, by pid: when each was first seen. */
  const seen = new Map<number, number>()
  let isToLookAgain = false

  const isNodes = (pid: number) => {
    let found = false
    for (const reference of started) {
      const child = reference.deref()
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) started.delete(reference)
      else if (child.pid === pid) found = true
    }
    return found
  }
  const sweep = () => {
    const now = time()
    const zombies = unlessShort(() => ownChildren().filter((pid) => processEntry(pid)?.state === 'Z' && !isNodes(pid)))
    if (zombies) for (const pid of seen.keys()) if (!zombies.includes(pid)) seen.delete(pid)
    for (const pid of zombies ?? []) {
      const since = seen.get(pid) ?? now
      seen.set(pid, since)
      if (now - since >= NOBODYS_AFTER_MS && native().reapZombie(pid)) seen.delete(pid)
    }
    if ((seen.size > 0 || zombies === undefined) && !isToLookAgain) {
      isToLookAgain = true
      setTimeout(lookAgain, NOBODYS_AFTER_MS).unref()
    }
  }
  const lookAgain = () => {
    isToLookAgain = false
    sweep()
  }
  process.on('SIGCHLD', sweep)
  sweep()
}

/** Children of the main thread (proc_pid_task(5)); where the kernel has no such list, of the process. */
export function ownChildren(): number[] {
  try {
    return readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number)
  } catch {
    return processTable().flatMap(({ pid, parent }) => (parent === process.pid ? [pid] : []))
  }
}
