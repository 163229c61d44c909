/** ELF files as they may be. */
export interface ElfParts {
  readonly machine?: number
  readonly bits?: number
  readonly loader?: boolean
  readonly note?: string
}

const HEADER = 64
const ENTRY = 56

export function elfFile({ machine = 62, bits = 2, loader = true, note }: ElfParts): Buffer {
  const types = [...(loader ? [3] : []), ...(note === undefined ? [] : [4])]
  const end = HEADER + types.length * ENTRY
  const file = Buffer.alloc(end + (note === undefined ? 0 : 16 + note.length))
  file.write('\x7fELF', 'latin1')
  file[4] = bits
  file[5] = 1
  file.writeUInt16LE(machine, 18)
  file.writeBigUInt64LE(BigInt(HEADER), 32)
  file.writeUInt16LE(ENTRY, 54)
  file.writeUInt16LE(types.length, 56)
  types.forEach((type, i) => {
    file.writeUInt32LE(type, HEADER + i * ENTRY)
    file.writeBigUInt64LE(BigInt(end), HEADER + i * ENTRY + 8)
    file.writeBigUInt64LE(BigInt(file.length - end), HEADER + i * ENTRY + 32)
  })
  if (note !== undefined) {
    file.writeUInt32LE(note.length, end)
    file.writeUInt32LE(4, end + 8)
    file.write(note, end + 12, 'latin1')
  }
  return file
}

export const reader = (file: Buffer) => (offset: number, length: number) => file.subarray(offset, offset + length)
