/** `child_process.spawnSync`, protected. */
import type {
  SpawnSyncOptionsWithBufferEncoding,
  SpawnSyncOptionsWithStringEncoding,
  SpawnSyncReturns,
} from 'node:child_process'
import { interruption } from './end/interruption.js'
import { type Bytes, type Output, runSync } from './start/run-sync.js'
import { planSync, type SpawnSyncProtectedOptions, type SyncProtectionOptions } from './start/sync-plan.js'

type WithString = SpawnSyncOptionsWithStringEncoding & SyncProtectionOptions
type WithBuffer = SpawnSyncOptionsWithBufferEncoding & SyncProtectionOptions

/**
 * Runs a program as `child_process.spawnSync` does, with all of its overloads, options and results, and blocks this thread, its
 * event loop and its listeners until the program has ended. Where this process listens to SIGINT, the program ignores it: on Ctrl-C
 * it finishes, and then the listener is called; a second Ctrl-C, more than a second later, kills it and all that it has started. Where
 * nobody listens, Ctrl-C ends both at once. Ctrl-\ (SIGQUIT) always does.
 *
 * A program that has reached its `timeout` or `maxBuffer` is sent `killSignal`, and SIGKILL after `grace`; what it has started lives
 * on. Its pipes are closed at once, so nobody else can hold up the call.
 *
 * Works in worker threads too; `terminate()` waits for the program to end, as with `spawnSync`.
 *
 * @param command - the program: a path, or a name to be found in PATH.
 * @returns the result of `spawnSync`. What the system refuses is its `error`, with the system call that failed as `step`. `status`
 * and `signal` are both null when something else in this process has reaped the program.
 * @throws what `spawnSync` throws for its own options; for ours TypeError, RangeError `ERR_INVALID_ARG_TYPE`,
 * `ERR_INVALID_ARG_VALUE` (a signal that can't be ignored, a `killSignal` that the program does not hear), `ERR_UNKNOWN_SIGNAL` or
 * `ERR_OUT_OF_RANGE`; Error `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM`, `ERR_DLOPEN_FAILED` as {@link spawnProtected}. Nothing is started then.
 *
 * @example
 * const { status, stdout } = spawnSyncProtected('cat', { input: 'one', encoding: 'utf8', timeout: 10_000 })
 * console.log(status, stdout) // 0 one
 */
export function spawnSyncProtected(command: string): SpawnSyncReturns<Bytes>
/**
 * Without arguments, and output as text.
 * @param command - a path, or a name to be found in PATH.
 * @param options - of `child_process.spawnSync` with an `encoding`, and {@link SyncProtectionOptions}.
 * @returns the result of `spawnSync`, with strings.
 * @throws as the first form.
 */
export function spawnSyncProtected(command: string, options: WithString): SpawnSyncReturns<string>
/**
 * Without arguments, and output as bytes.
 * @param command - a path, or a name to be found in PATH.
 * @param options - of `child_process.spawnSync` with no `encoding`, or `'buffer'`, and {@link SyncProtectionOptions}.
 * @returns the result of `spawnSync`, with Buffers.
 * @throws as the first form.
 */
export function spawnSyncProtected(command: string, options: WithBuffer): SpawnSyncReturns<Bytes>
/**
 * Without arguments, and output as the `encoding` says.
 * @param command - a path, or a name to be found in PATH.
 * @param options - of `child_process.spawnSync`, and {@link SyncProtectionOptions}.
 * @returns the result of `spawnSync`.
 * @throws as the first form.
 */
export function spawnSyncProtected(command: string, options?: SpawnSyncProtectedOptions): SpawnSyncReturns<Output>
/**
 * With arguments, and output as bytes.
 * @param command - a path, or a name to be found in PATH.
 * @param args - what it gets after its name.
 * @returns the result of `spawnSync`, with Buffers.
 * @throws as the first form.
 */
export function spawnSyncProtected(command: string, args: readonly string[]): SpawnSyncReturns<Bytes>
/**
 * With arguments, and output as text.
 * @param command - a path, or a name to be found in PATH.
 * @param args - what it gets after its name.
 * @param options - of `child_process.spawnSync` with an `encoding`, and {@link SyncProtectionOptions}.
 * @returns the result of `spawnSync`, with strings.
 * @throws as the first form.
 */
export function spawnSyncProtected(
  command: string,
  args: readonly string[],
  options: WithString,
): SpawnSyncReturns<string>
/**
 * With arguments, and output as bytes.
 * @param command - a path, or a name to be found in PATH.
 * @param args - what it gets after its name.
 * @param options - of `child_process.spawnSync` with no `encoding`, or `'buffer'`, and {@link SyncProtectionOptions}.
 * @returns the result of `spawnSync`, with Buffers.
 * @throws as the first form.
 */
export function spawnSyncProtected(
  command: string,
  args: readonly string[],
  options: WithBuffer,
): SpawnSyncReturns<Bytes>
/**
 * With arguments, and output as the `encoding` says.
 * @param command - a path, or a name to be found in PATH.
 * @param args - what it gets after its name.
 * @param options - of `child_process.spawnSync`, and {@link SyncProtectionOptions}.
 * @returns the result of `spawnSync`.
 * @throws as the first form.
 */
export function spawnSyncProtected(
  command: string,
  args?: readonly string[],
  options?: SpawnSyncProtectedOptions,
): SpawnSyncReturns<Output>
export function spawnSyncProtected(command: string, args?: unknown, options?: unknown): SpawnSyncReturns<Output> {
  return runSync(planSync('spawnSync', command, args, options), interruption())
}
