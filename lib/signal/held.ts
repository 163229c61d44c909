/** Whether a process is kept from acting by somebody else. */
import { constants } from 'node:os'
import { kernelFile, processFile, unlessShort } from './kernel-file.js'

/**
 * @param stopSignal - what has stopped it, or 0. A process that stopped itself at the terminal (SIGTTIN, SIGTTOU) is not held:
 * nobody will let it go on.
 */
export function isHeld(stopSignal: number, pid: number): boolean {
  return (
    stopSignal === constants.signals.SIGSTOP ||
    stopSignal === constants.signals.SIGTSTP ||
    (unlessShort(() => isFrozen(pid)) ?? false)
  )
}

/** Where a cgroup tells that it is frozen: cgroups(7), at the places that systemd gives them. */
const freezers = [
  { group: /^0::(.*)$/m, root: '/sys/fs/cgroup', file: 'cgroup.events', frozen: /^frozen 1$/m },
  { group: /^0::(.*)$/m, root: '/sys/fs/cgroup/unified', file: 'cgroup.events', frozen: /^frozen 1$/m },
  { group: /^\d+:freezer:(.*)$/m, root: '/sys/fs/cgroup/freezer', file: 'freezer.state', frozen: /^FR(OZEN|EEZING)$/m },
]

/** A frozen process shows no state of its own. One in this process's own cgroup would have frozen it too. */
function isFrozen(pid: number): boolean {
  const theirs = processFile(pid, 'cgroup') ?? ''
  const ours = kernelFile('/proc/self/cgroup') ?? ''
  return freezers.some(({ group, root, file, frozen }) => {
    const name = group.exec(theirs)?.[1]
    if (name === undefined || name === group.exec(ours)?.[1]) return false
    return frozen.test(kernelFile(`${root}${name}/${file}`) ?? '')
  })
}
