/** Whether a process is kept from acting by somebody else. */
import { readFileSync } from 'node:fs'
import { constants } from 'node:os'

/**
 * @param stopSignal - what has stopped it, or 0. A process that stopped itself at the terminal (SIGTTIN, SIGTTOU) is not held:
 * nobody will let it go on.
 */
export function isHeld(stopSignal: number, pid: number): boolean {
  return stopSignal === constants.signals.SIGSTOP || stopSignal === constants.signals.SIGTSTP || isFrozen(pid)
}

/** cgroups(7): a frozen process shows no state of its own. One in this process's own cgroup would have frozen it too. */
function isFrozen(pid: number): boolean {
  const group = cgroupOf(pid)
  if (group === undefined || group === cgroupOf('self')) return false
  return /^frozen 1$/m.test(read(`/sys/fs/cgroup${group}/cgroup.events`) ?? '')
}

function cgroupOf(pid: number | 'self'): string | undefined {
  return /^0::(.*)$/m.exec(read(`/proc/${pid}/cgroup`) ?? '')?.[1]
}

/** Undefined where there is no such file: another system, an older kernel, no right to look, or a process that has ended. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return undefined
  }
}
