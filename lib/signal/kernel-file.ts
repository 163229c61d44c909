/** What the kernel shows as files: proc(5), cgroups(7). */
import { readFileSync, readlinkSync } from 'node:fs'

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

/**
 * Whether /proc is of this process's own pid namespace: the numbers of another are other processes' (pid_namespaces(7)). False where
 * there is none.
 */
export function isProcOwn(): boolean {
  try {
    return readlinkSync('/proc/self') === String(process.pid)
  } catch {
    return false
  }
}

/** What /proc says of another process; undefined where it says nothing of that one. */
export function processFile(pid: number, name: string): string | undefined {
  return isProcOwn() ? kernelFile(`/proc/${pid}/${name}`) : undefined
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
