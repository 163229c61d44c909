/** What an ELF file says of whether a library can be preloaded into it (elf(5)). */

/** A linker's notes are shorter. */
const NOTES_BYTES = 4096

const machines: Readonly<Record<string, number>> = { x64: 62, arm64: 183 }
const ENTRY_BYTES = 56
const PT_INTERP = 3
const PT_NOTE = 4

export function isElf(head: Buffer): boolean {
  return head.length >= 4 && head.readUInt32BE(0) === 0x7f454c46
}

/**
 * Why not; undefined when it can be.
 * @param read - Bytes of the file: fewer at its end.
 */
export function whyNotPreloaded(read: (offset: number, length: number) => Buffer, arch: string): string | undefined {
  const header = read(0, 64)
  if (header.length < 64) return 'its file is cut off'
  const [bits, order] = [header[4], header[5]]
  if (bits !== 2 || order !== 1 || header.readUInt16LE(18) !== machines[arch]) {
    return `it is a program of another machine than this ${arch} one, and so can't load the guard`
  }
  const offset = Number(header.readBigUInt64LE(32))
  const size = header.readUInt16LE(54)
  const count = header.readUInt16LE(56)
  if (size !== ENTRY_BYTES) return 'its file is none that the system executes'
  const table = read(offset, size * count)
  if (table.length < size * count) return 'its file is cut off'
  let hasLoader = false
  for (let i = 0; i < count; i += 1) {
    const entry = table.subarray(i * size, (i + 1) * size)
    const type = entry.readUInt32LE(0)
    if (type === PT_INTERP) hasLoader = true
    if (type !== PT_NOTE) continue
    const notes = read(Number(entry.readBigUInt64LE(8)), Math.min(Number(entry.readBigUInt64LE(32)), NOTES_BYTES))
    if (isOfGo(notes)) return 'it is a Go program, which makes its system calls without libc'
  }
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
