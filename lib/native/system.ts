/** The system that this program is made for, as the folders of prebuilds/ are called. */
import { basename } from 'node:path'
import { looked } from '../node/file-reader.js'
import { elfOf, PT_INTERP } from './elf.js'

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

/** The loader that a program names for itself; undefined where it is static, or can't be read. */
function interpreterOf(program: string): string | undefined {
  try {
    return looked(program, (read) => {
      const segments = elfOf(read)?.segments ?? []
      const named = typeof segments === 'string' ? undefined : segments.find(({ type }) => type === PT_INTERP)
      return named && read(named.offset, named.size - 1).toString()
    })
  } catch {
    return undefined
  }
}
