/** `child_process.execFileSync`, protected. */
import type {
  ExecFileSyncOptions,
  ExecFileSyncOptionsWithBufferEncoding,
  ExecFileSyncOptionsWithStringEncoding,
} from 'node:child_process'
import { interruption } from './end/interruption.js'
import { type Bytes, type Output, runSync } from './start/run-sync.js'
import { planSync, type SyncProtectionOptions } from './start/sync-plan.js'

/** All that {@link execFileSyncProtected} takes. */
export type ExecFileSyncProtectedOptions = ExecFileSyncOptions & SyncProtectionOptions
type WithString = ExecFileSyncOptionsWithStringEncoding & SyncProtectionOptions
type WithBuffer = ExecFileSyncOptionsWithBufferEncoding & SyncProtectionOptions

/**
 * Runs a program as `child_process.execFileSync` does, protected as by {@link spawnSyncProtected}, and returns its output; what it
 * writes to stderr goes to this process's own. For a command line, as `execSync` takes it, give `shell: true`.
 *
 * @param file - the program, or with `shell: true` the command line.
 * @returns what it has written to stdout: a Buffer, or a string with an `encoding`.
 * @throws Error when it does not exit with 0, with the whole result of `spawnSyncProtected` as properties (`status`, `signal`,
 * `stdout`, `stderr`, `output`, `pid`); the result's `error`, with the same properties, when it could not be started or had to be
 * ended; for wrong options as `spawnSyncProtected`.
 *
 * @example
 * console.log(execFileSyncProtected('echo', ['one'], { encoding: 'utf8' }).trim()) // one
 * execFileSyncProtected('true && true', { shell: true, stdio: 'inherit' })
 */
export function execFileSyncProtected(file: string): Bytes
/**
 * Without arguments, and output as text.
 * @param file - the program, or with `shell: true` the command line.
 * @param options - of `child_process.execFileSync` with an `encoding`, and {@link SyncProtectionOptions}.
 * @returns what it has written to stdout, a string.
 * @throws as the first form.
 */
export function execFileSyncProtected(file: string, options: WithString): string
/**
 * Without arguments, and output as bytes.
 * @param file - the program, or with `shell: true` the command line.
 * @param options - of `child_process.execFileSync` with no `encoding`, or `'buffer'`, and {@link SyncProtectionOptions}.
 * @returns what it has written to stdout, a Buffer.
 * @throws as the first form.
 */
export function execFileSyncProtected(file: string, options: WithBuffer): Bytes
/**
 * Without arguments, and output as the `encoding` says.
 * @param file - the program, or with `shell: true` the command line.
 * @param options - of `child_process.execFileSync`, and {@link SyncProtectionOptions}.
 * @returns what it has written to stdout.
 * @throws as the first form.
 */
export function execFileSyncProtected(file: string, options?: ExecFileSyncProtectedOptions): Output
/**
 * With arguments, and output as bytes.
 * @param file - the program, or with `shell: true` the command line.
 * @param args - what it gets after its name.
 * @returns what it has written to stdout, a Buffer.
 * @throws as the first form.
 */
export function execFileSyncProtected(file: string, args: readonly string[]): Bytes
/**
 * With arguments, and output as text.
 * @param file - the program, or with `shell: true` the command line.
 * @param args - what it gets after its name.
 * @param options - of `child_process.execFileSync` with an `encoding`, and {@link SyncProtectionOptions}.
 * @returns what it has written to stdout, a string.
 * @throws as the first form.
 */
export function execFileSyncProtected(file: string, args: readonly string[], options: WithString): string
/**
 * With arguments, and output as bytes.
 * @param file - the program, or with `shell: true` the command line.
 * @param args - what it gets after its name.
 * @param options - of `child_process.execFileSync` with no `encoding`, or `'buffer'`, and {@link SyncProtectionOptions}.
 * @returns what it has written to stdout, a Buffer.
 * @throws as the first form.
 */
export function execFileSyncProtected(file: string, args: readonly string[], options: WithBuffer): Bytes
/**
 * With arguments, and output as the `encoding` says.
 * @param file - the program, or with `shell: true` the command line.
 * @param args - what it gets after its name.
 * @param options - of `child_process.execFileSync`, and {@link SyncProtectionOptions}.
 * @returns what it has written to stdout.
 * @throws as the first form.
 */
export function execFileSyncProtected(
  file: string,
  args?: readonly string[],
  options?: ExecFileSyncProtectedOptions,
): Output
export function execFileSyncProtected(file: string, second?: unknown, third?: unknown): Output {
  const plan = planSync('execFileSync', file, second, third)
  const { args, options } = plan.call
  const result = runSync(plan, interruption())
  if (!options.stdio && result.stderr) process.stderr.write(result.stderr)
  if (result.error) throw Object.assign(result.error, result)
  if (result.status === 0) return result.stdout
  const title = [options.argv0 || file, ...args].join(' ')
  const text = result.stderr?.length > 0 ? `\n${result.stderr.toString()}` : ''
  throw Object.assign(new Error(`Command failed: ${title}${text}`), result)
}
