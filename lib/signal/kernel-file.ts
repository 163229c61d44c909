/** What the kernel shows as files: proc(5), cgroups(7). */
import { readFileSync } from 'node:fs'

/** Undefined where there is no such file: another system, an older kernel, no right to look, or a process that has ended. */
export function kernelFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return undefined
  }
}
