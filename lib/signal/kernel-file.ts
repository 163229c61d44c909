/** What the kernel shows as files: proc(5), cgroups(7). */
import { readFileSync } from 'node:fs'

/**
 * Undefined where there is no such file: another system, an older kernel, no right to look, or a process that has ended.
 * @throws a system error where there is no descriptor or memory to look with: what is there can't be told then.
 */
export function kernelFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    if (isShortage(error)) throw error
    return undefined
  }
}

/** Of descriptors or memory. */
export function isShortage(error: unknown): boolean {
  return ['EMFILE', 'ENFILE', 'ENOMEM'].includes((error as NodeJS.ErrnoException).code ?? '')
}

/** Undefined where there is no descriptor or memory to look with, for those who look again: nobody else would hear of it. */
export function unlessShort<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    if (isShortage(error)) return undefined
    throw error
  }
}
