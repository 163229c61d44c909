/** Whether the guard gets into a program: foretold from its file, and kept for the next start of the same file. */
import { accessSync, constants, realpathSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { isElf } from '../native/elf.js'
import { native } from '../native/load.js'
import { looked, type Read } from '../node/file-reader.js'
import { whyNotPreloaded } from './elf.js'
import { PRELOAD, type StartEnvironment, valueIn } from './environment.js'
import { isMachO, whyNotInserted } from './mach-o.js'
import type { ProgramFile } from './program.js'

/** The ids that a child has. */
export interface Ids {
  readonly uid: number
  readonly gid: number
  /** The real and the effective ids are the same. */
  readonly areOne: boolean
}

export function idsOf({ uid, gid }: { readonly uid: number | null; readonly gid: number | null }): Ids {
  const own = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 }
  const areOne = (uid !== null || process.getuid?.() === own.uid) && (gid !== null || process.getgid?.() === own.gid)
  return { uid: uid ?? own.uid, gid: gid ?? own.gid, areOne }
}

/** Another file, a change of it or of its mode, other ids, or libraries before the guard, are another question. */
export function coverageKey(
  { status: { dev, ino, size, ctimeNs } }: ProgramFile,
  { uid, gid, areOne }: Ids,
  environment: StartEnvironment,
): string {
  return [dev, ino, size, ctimeNs, uid, gid, areOne, valueIn(environment, PRELOAD)].join(':')
}

/** What the file foretells. */
export interface Coverage {
  /** Why the guard would not be in force in this program; undefined where nothing speaks against it. */
  readonly why: string | undefined
  /** Of `why`, where it is the system's; or 0. */
  readonly errno?: number
  /** The file is one that a loader of this system loads libraries into. What is neither that nor refused, the guard itself tells. */
  readonly isForetold: boolean
}

const uncovered = (why: string, errno = 0): Coverage => ({ why, errno, isForetold: false })

export function coverageOf(program: ProgramFile, ids: Ids): Coverage {
  if (!ids.areOne)
    return uncovered('this process has changed its ids, so the loader of its children takes no libraries')
  const why = whyPrivileged(program, ids)
  return why === undefined ? coverageOfFile(program.path) : uncovered(why)
}

/** The loader takes no libraries for a program that has other privileges than who executes it (AT_SECURE in getauxval(3)). */
function whyPrivileged({ path, status }: ProgramFile, { uid, gid }: Ids): string | undefined {
  const mode = Number(status.mode)
  const isSetuid = (mode & 0o4000) !== 0 && Number(status.uid) !== uid
  const isSetgid = (mode & 0o2010) === 0o2010 && Number(status.gid) !== gid
  if (isSetuid || isSetgid) return 'it is a setuid or setgid program'
  return uid !== 0 && native().hasFileCapabilities(path) ? 'its file has capabilities' : undefined
}

function coverageOfFile(path: string): Coverage {
  try {
    return looked(path, (read) => foretoldBy(read, path))
  } catch (error) {
    const { code, errno = 0 } = error as NodeJS.ErrnoException
    if (code === 'EACCES') {
      return uncovered('its file can’t be read, so nothing tells whether a library can be loaded into it')
    }
    return uncovered(`its file can’t be read (${code})`, -errno)
  }
}

function foretoldBy(read: Read, path: string): Coverage {
  const head = read(0, 4)
  const isMac = process.platform === 'darwin'
  // What is neither is for /bin/sh, or for a handler of the kernel's.
  if (!(isMac ? isMachO(head) : isElf(head))) return { why: undefined, isForetold: false }
  const why = isMac ? whyNotInserted(read, realpathSync(path)) : whyNotPreloaded(read, process.arch)
  return why === undefined ? { why, isForetold: true } : uncovered(why)
}

/** Why the child can't read the guard. */
export function whyUnreadable(library: string, { uid, gid }: Ids): string | undefined {
  const unreadable = `user ${uid} can’t read ${library}`
  if (uid === process.geteuid?.()) return isReadable(library) ? undefined : unreadable
  if (uid === 0) return undefined
  const may = (path: string, bit: number) => {
    const status = statSync(path)
    const shift = status.uid === uid ? 6 : status.gid === gid ? 3 : 0
    return ((status.mode >> shift) & bit) !== 0
  }
  for (let folder = dirname(library); ; folder = dirname(folder)) {
    if (!may(folder, 1)) return `user ${uid} can’t enter ${folder}, where the guard is`
    if (folder === dirname(folder)) break
  }
  return may(library, 4) ? undefined : unreadable
}

/** By this process. */
function isReadable(file: string): boolean {
  try {
    accessSync(file, constants.R_OK)
    return true
  } catch {
    return false
  }
}
