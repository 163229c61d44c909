/** A universal file of several slices (mach-o/fat.h). */
import { CPU, readSlice } from './mach-o.mjs'

/** Powers of two: the page sizes of the machines. */
const alignment = new Map([
  [CPU.arm64, 14],
  [CPU.x64, 12],
])

export function universal(/** @type {Buffer[]} */ slices) {
  const header = Buffer.alloc(8 + 20 * slices.length)
  header.writeUInt32BE(0xcafebabe, 0)
  header.writeUInt32BE(slices.length, 4)
  let file = header
  for (const [i, slice] of slices.entries()) {
    const { cpu } = readSlice(slice)
    const power = Number(alignment.get(cpu))
    const offset = Math.ceil(file.length / 2 ** power) * 2 ** power
    // The subtype is the slice's own.
    const words = [cpu, slice.readUInt32LE(8), offset, slice.length, power]
    file = Buffer.concat([file, Buffer.alloc(offset - file.length), slice])
    words.forEach((word, j) => {
      file.writeUInt32BE(word, 8 + i * 20 + j * 4)
    })
  }
  return file
}
