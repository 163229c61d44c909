/** Parts of a file that is not read as a whole. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

/** Bytes of it: fewer at its end. */
export type Read = (offset: number, length: number) => Buffer

/** What `look` finds in this file. Throws what open(2) and read(2) do. */
export function looked<T>(path: string, look: (read: Read, size: number) => T): T {
  const fd = openSync(path, 'r')
  try {
    const read = (offset: number, length: number) => {
      if (!Number.isSafeInteger(offset)) return Buffer.alloc(0)
      const bytes = Buffer.alloc(length)
      return bytes.subarray(0, readSync(fd, bytes, 0, length, offset))
    }
    return look(read, fstatSync(fd).size)
  } finally {
    closeSync(fd)
  }
}
