/** Reads Mach-O files, for the checks of what is built for macOS (mach-o/loader.h, mach-o/nlist.h). */

export const CPU = { x64: 0x01000007, arm64: 0x0100000c }
const FAT = 0xcafebabe
const MAGIC_64 = 0xfeedfacf
const LC = { SYMTAB: 2, SEGMENT_64: 0x19, SIGNATURE: 0x1d, BUILD_VERSION: 0x32, MIN_VERSION: 0x24 }
/** LC_LOAD_DYLIB, and its weak, re-exporting, lazy and upward kinds. */
const LOADS = new Set([0xc, 0x80000018, 0x8000001f, 0x20, 0x80000023])
const N_STAB = 0xe0
const N_TYPE = 0x0e
const N_EXT = 0x01

/** @throws Error where the file is none, or cut off. */
export function slicesOf(/** @type {Buffer} */ file) {
  const magic = file.readUInt32BE(0)
  if (magic !== FAT) return [file]
  return Array.from({ length: file.readUInt32BE(4) }, (_, i) => {
    const at = 8 + i * 20
    const [offset, size] = [file.readUInt32BE(at + 8), file.readUInt32BE(at + 12)]
    if (offset + size > file.length) throw new Error('the file is cut off')
    return file.subarray(offset, offset + size)
  })
}

const text = (/** @type {Buffer} */ bytes, at = 0) => {
  const end = bytes.indexOf(0, at)
  return bytes.toString('latin1', at, end < 0 ? bytes.length : end)
}

export function readSlice(/** @type {Buffer} */ file) {
  if (file.readUInt32LE(0) !== MAGIC_64) throw new Error('the file is no 64-bit Mach-O file')
  const slice = {
    file,
    cpu: file.readUInt32LE(4),
    fileType: file.readUInt32LE(12),
    /** @type {string[]} */
    libraries: [],
    /** @type {string[]} */
    undefinedSymbols: [],
    /** @type {{ name: string, at: number, offset: number, size: number, sections: { name: string, size: number }[] }[]} */
    segments: [],
    minimumVersion: '',
    /** @type {{ offset: number, size: number } | undefined} */
    signature: undefined,
  }
  let at = 32
  for (let i = file.readUInt32LE(16); i > 0; i -= 1) {
    const [type, size] = [file.readUInt32LE(at), file.readUInt32LE(at + 4)]
    const command = file.subarray(at, at + size)
    if (size < 8 || command.length < size) throw new Error('the file is cut off')
    if (LOADS.has(type)) slice.libraries.push(text(command, command.readUInt32LE(8)))
    if (type === LC.SEGMENT_64) slice.segments.push(readSegment(command, at))
    if (type === LC.BUILD_VERSION) slice.minimumVersion = version(command.readUInt32LE(12))
    if (type === LC.MIN_VERSION) slice.minimumVersion = version(command.readUInt32LE(8))
    if (type === LC.SIGNATURE) slice.signature = { offset: command.readUInt32LE(8), size: command.readUInt32LE(12) }
    if (type === LC.SYMTAB) slice.undefinedSymbols = readUndefined(file, command)
    at += size
  }
  for (const { name, offset, size } of slice.segments) {
    if (offset + size > file.length) throw new Error(`the file is cut off in ${name}`)
  }
  return slice
}

function readSegment(/** @type {Buffer} */ command, /** @type {number} */ at) {
  const sections = Array.from({ length: command.readUInt32LE(64) }, (_, i) => {
    const section = command.subarray(72 + i * 80, 72 + (i + 1) * 80)
    return { name: text(section.subarray(0, 16)), size: Number(section.readBigUInt64LE(40)) }
  })
  const [offset, size] = [command.readBigUInt64LE(40), command.readBigUInt64LE(48)]
  return { name: text(command.subarray(8, 24)), at, offset: Number(offset), size: Number(size), sections }
}

function readUndefined(/** @type {Buffer} */ file, /** @type {Buffer} */ command) {
  const [symbols, count] = [command.readUInt32LE(8), command.readUInt32LE(12)]
  const [strings, size] = [command.readUInt32LE(16), command.readUInt32LE(20)]
  const names = file.subarray(strings, strings + size)
  return Array.from({ length: count }, (_, i) => file.subarray(symbols + i * 16, symbols + (i + 1) * 16))
    .filter((symbol) => {
      const type = symbol.readUInt8(4)
      return (type & N_STAB) === 0 && (type & N_TYPE) === 0 && (type & N_EXT) !== 0
    })
    .map((symbol) => text(names, symbol.readUInt32LE(0)))
}

const version = (/** @type {number} */ number) => `${number >>> 16}.${(number >>> 8) & 0xff}`
