/** What an ELF file says of itself (elf(5)). */
import { looked, type Read } from '../node/file-reader.js'

export interface Segment {
  readonly type: number
  readonly offset: number
  readonly size: number
}

export interface Elf {
  /** Undefined for any that Node knows no name for here, of 32 bits or of the other byte order. */
  readonly machine: 'x64' | 'arm64' | undefined
  /** Of a machine that has a name; or why they can't be told. */
  readonly segments: readonly Segment[] | 'cut off' | 'malformed'
}

export const PT_LOAD = 1
export const PT_INTERP = 3
export const PT_NOTE = 4

const machines: Readonly<Record<number, Elf['machine']>> = { 62: 'x64', 183: 'arm64' }
const HEADER_BYTES = 64
const ENTRY_BYTES = 56

export function isElf(head: Buffer): boolean {
  return head.length >= 4 && head.readUInt32BE(0) === 0x7f454c46
}

/** Undefined where it is none. */
export function elfOf(read: Read): Elf | undefined {
  const header = read(0, HEADER_BYTES)
  if (!isElf(header)) return undefined
  if (header.length < HEADER_BYTES) return { machine: undefined, segments: 'cut off' }
  const [bits, order] = [header[4], header[5]]
  const machine = bits === 2 && order === 1 ? machines[header.readUInt16LE(18)] : undefined
  if (machine === undefined) return { machine, segments: [] }
  const offset = Number(header.readBigUInt64LE(32))
  const size = header.readUInt16LE(54)
  const count = header.readUInt16LE(56)
  if (size !== ENTRY_BYTES || !Number.isSafeInteger(offset)) return { machine, segments: 'malformed' }
  const table = read(offset, size * count)
  if (table.length < size * count) return { machine, segments: 'cut off' }
  const segments = Array.from({ length: count }, (_, i) => {
    const entry = table.subarray(i * size, (i + 1) * size)
    return {
      type: entry.readUInt32LE(0),
      offset: Number(entry.readBigUInt64LE(8)),
      size: Number(entry.readBigUInt64LE(32)),
    }
  })
  return { machine, segments }
}

/**
 * Whether less of it is there than it says: a loader would map what is not there, and the process end by SIGBUS at its first look.
 */
export function isCutOff(path: string): boolean {
  return looked(path, (read, size) => {
    const segments = elfOf(read)?.segments ?? []
    if (typeof segments === 'string') return segments === 'cut off'
    return segments.some((segment) => segment.type === PT_LOAD && segment.offset + segment.size > size)
  })
}
