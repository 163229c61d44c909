// The children of the process that asks, zombies included, for programs that run outside the tests' own process.
import { readdirSync, readFileSync } from 'node:fs'

export function ownChildren() {
  return readdirSync('/proc').filter((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === process.pid
    } catch {
      // Gone since the folder was read.
      return false
    }
  })
}
