/** The system that this program is made for, as the folders of prebuilds/ are called. */
import { closeSync, openSync, readSync } from 'node:fs'
import { basename } from 'node:path'

export type Libc = 'glibc' | 'musl'

/** linux-x64-musl, darwin-arm64. */
export function system(): string {
  const { platform, arch } = process
  return platform === 'linux' ? `${platform}-${arch}-${libc()}` : `${platform}-${arch}`
}

/** The libc of this program, whatever else is installed on the machine. */
export function libc(): Libc {
  for (const program of ['/proc/self/exe', process.execPath]) {
    const loader = basename(interpreterOf(program) ?? '')
    if (loader.startsWith('ld-musl-')) return 'musl'
    if (loader.startsWith('ld-linux')) return 'glibc'
  }
  return reported() ? 'glibc' : 'musl'
}

/** It names the version of glibc that runs, and is slow. */
function reported(): boolean {
  // Not yet in the types.
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork?: boolean }
  const { excludeNetwork = false } = report
  // Else it asks for the names of peers.
  report.excludeNetwork = true
  try {
    const { header } = report.getReport() as unknown as { header: { glibcVersionRuntime?: string } }
    return header.glibcVersionRuntime !== undefined
  } finally {
    report.excludeNetwork = excludeNetwork
  }
}

const PT_INTERP = 3
const HEADER_BYTES = 64
const ENTRY_BYTES = 56

/** The loader that a program names for itself (elf(5)); undefined where it is static, or can't be read. */
function interpreterOf(program: string): string | undefined {
  let fd: number
  try {
    fd = openSync(program, 'r')
  } catch {
    return undefined
  }
  try {
    const read = (offset: number, length: number) => {
      const bytes = Buffer.alloc(length)
      return bytes.subarray(0, readSync(fd, bytes, 0, length, offset))
    }
    const header = read(0, HEADER_BYTES)
    if (header.length < HEADER_BYTES || header.readUInt32BE(0) !== 0x7f454c46 || header[4] !== 2) return undefined
    // Of the other byte order.
    if (header[5] !== 1) return undefined
    const entries = read(Number(header.readBigUInt64LE(32)), ENTRY_BYTES * header.readUInt16LE(56))
    for (let at = 0; at + ENTRY_BYTES <= entries.length; at += ENTRY_BYTES) {
      if (entries.readUInt32LE(at) !== PT_INTERP) continue
      const path = read(Number(entries.readBigUInt64LE(at + 8)), Number(entries.readBigUInt64LE(at + 32)))
      return path.toString('utf8', 0, path.length - 1)
    }
    return undefined
  } finally {
    closeSync(fd)
  }
}
