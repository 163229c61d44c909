/** What an ELF file says of whether a library can be preloaded into it. */
import { elfOf, PT_INTERP, PT_NOTE } from '../native/elf.js'
import type { Read } from '../node/file-reader.js'

/** A linker's notes are shorter. */
const NOTES_BYTES = 4096

/** Why not; undefined when it can be. */
export function whyNotPreloaded(read: Read, arch: string): string | undefined {
  const { machine, segments = 'malformed' } = elfOf(read) ?? {}
  if (segments === 'cut off') return 'its file is cut off'
  if (machine !== arch) return `it is a program of another machine than this ${arch} one, and so can't load the guard`
  if (segments === 'malformed') return 'its file is none that the system executes'
  const notes = segments.filter(({ type }) => type === PT_NOTE)
  if (notes.some(({ offset, size }) => isOfGo(read(offset, Math.min(size, NOTES_BYTES))))) {
    return 'it is a Go program, which makes its system calls without libc'
  }
  const hasLoader = segments.some(({ type }) => type === PT_INTERP)
  return hasLoader ? undefined : 'it is static: no library can be preloaded into it'
}

/** Go's linker writes a note under its own name into every program. */
function isOfGo(notes: Buffer): boolean {
  for (let at = 0; at + 12 <= notes.length; ) {
    const nameSize = notes.readUInt32LE(at)
    const size = notes.readUInt32LE(at + 4)
    if (notes.toString('latin1', at + 12, at + 12 + nameSize) === 'Go\0\0') return true
    at += 12 + Math.ceil(nameSize / 4) * 4 + Math.ceil(size / 4) * 4
  }
  return false
}
