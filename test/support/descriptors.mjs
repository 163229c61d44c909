// What a process has open.
import { fstatSync, readdirSync, readlinkSync } from 'node:fs'
import { hasProc } from './process-table.mjs'

/** Without /proc: of this process alone, by what each is open to. */
function ownDescriptors() {
  return readdirSync('/dev/fd').flatMap((fd) => {
    try {
      const status = fstatSync(Number(fd))
      return status.isDirectory() ? [] : [`${fd} ${status.dev}:${status.ino}`]
    } catch {
      return []
    }
  })
}

/** Each number, and what it is open to. */
export function openDescriptors(/** @type {number | 'self'} */ pid = 'self') {
  if (pid === 'self' && !hasProc) return ownDescriptors()
  const folder = `/proc/${pid}/fd`
  return readdirSync(folder).flatMap((fd) => {
    try {
      const target = readlinkSync(`${folder}/${fd}`)
      // The descriptor that reads this very folder.
      return target.startsWith('/proc/') && target.endsWith('/fd') ? [] : [`${fd} ${target}`]
    } catch {
      // Closed since the folder was read: that same descriptor.
      return []
    }
  })
}
