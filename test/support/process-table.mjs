// The kernel's table of processes, zombies included: for the tests and for programs that run outside of them. From proc(5), or where
// there is none, as on a Mac, from ps(1).
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** TEST_WITHOUT_PROC tries on Linux what a Mac needs. */
export const hasProc = !process.env.TEST_WITHOUT_PROC && existsSync('/proc/self/stat')

/** @typedef {{ pid: number, name: string, state: string, parent: number, group: number, session: number, foreground: number }} Entry */

/** All but ps itself. */
function askPs() {
  const columns = ['pid', 'ppid', 'pgid', 'tpgid', 'stat', 'tty', 'ucomm'].flatMap((name) => ['-o', `${name}=`])
  const lines = execFileSync('ps', ['-ax', ...columns], { encoding: 'latin1' })
    .trim()
    .split('\n')
  const found = lines.flatMap((line) => {
    const [, pid, parent, group, foreground, state = '', terminal = '', name = ''] =
      /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(-?\d+)\s+(\S+)\s+(\S+)\s+(.*)$/.exec(line) ?? []
    const entry = { pid: Number(pid), name, state: state.slice(0, 1), parent: Number(parent), group: Number(group) }
    const isPs = entry.parent === process.pid && name === 'ps'
    const leads = state.includes('s')
    return pid === undefined || isPs ? [] : [{ ...entry, foreground: Number(foreground), terminal, leads }]
  })
  // What ps calls a session is none of the numbers of proc(5) everywhere. That of a terminal is known by its leader.
  const leaders = new Map(found.flatMap(({ pid, terminal, leads }) => (leads ? [[terminal, pid]] : [])))
  return found.map(({ terminal, leads, ...entry }) => {
    const session = leads ? entry.pid : /^\?/.test(terminal) ? 0 : (leaders.get(terminal) ?? 0)
    return { ...entry, session }
  })
}

/** @returns {Entry | undefined} - undefined when there is no such process. */
export function processOf(/** @type {number} */ pid) {
  if (!hasProc) return askPs().find((entry) => entry.pid === pid)
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name may hold any character, ')' too.
    const end = stat.lastIndexOf(')')
    const [state, ...numbers] = stat.slice(end + 2).split(' ')
    const [parent, group, session, , foreground] = numbers.map(Number)
    // `foreground` is the group that holds its terminal.
    const name = stat.slice(stat.indexOf('(') + 1, end)
    return /** @type {Entry} */ ({ pid, name, state, parent, group, session, foreground })
  } catch {
    return undefined
  }
}

/** The numbers of all processes. */
export function allPids() {
  if (!hasProc) return askPs().map(({ pid }) => pid)
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0)
}

/** All at one look. */
export function allProcesses() {
  return hasProc ? allPids().flatMap((pid) => processOf(pid) ?? []) : askPs()
}

export function childrenOf(/** @type {number} */ parent) {
  return allProcesses().filter((entry) => entry.parent === parent)
}
