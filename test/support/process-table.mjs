// The kernel's table of processes (proc(5)), zombies included: for the tests and for programs that run outside of them.
import { readdirSync, readFileSync } from 'node:fs'

/** Undefined when there is no such process. */
export function processOf(/** @type {number} */ pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name may hold any character, ')' too.
    const end = stat.lastIndexOf(')')
    const [state, ...numbers] = stat.slice(end + 2).split(' ')
    const [parent, group, session, , foreground] = numbers.map(Number)
    // `foreground` is the group that holds its terminal.
    return { pid, name: stat.slice(stat.indexOf('(') + 1, end), state, parent, group, session, foreground }
  } catch {
    return undefined
  }
}

/** The numbers of all processes. */
export function allPids() {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0)
}

export function childrenOf(/** @type {number} */ parent) {
  return allPids().flatMap((pid) => {
    const found = processOf(pid)
    return found?.parent === parent ? [found] : []
  })
}
