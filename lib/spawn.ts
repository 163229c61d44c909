/** `child_process.spawn`, protected. */
import type {
  ChildProcessByStdio,
  SpawnOptionsWithoutStdio,
  SpawnOptionsWithStdioTuple,
  StdioNull,
  StdioPipe,
} from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { ProtectedProcess } from './protected-process.js'
import { planSpawn, type SpawnProtectedOptions } from './start/plan.js'
import type { ProtectionOptions } from './start/protection-options.js'

/** A ProtectedProcess whose streams are known to be there, or not, as `child_process.ChildProcessByStdio`. */
export type ProtectedProcessByStdio<
  I extends Writable | null,
  O extends Readable | null,
  E extends Readable | null,
> = ProtectedProcess & Pick<ChildProcessByStdio<I, O, E>, 'stdin' | 'stdout' | 'stderr' | 'stdio'>

/** A ProtectedProcess with three pipes, as `child_process.ChildProcessWithoutNullStreams`. */
export type ProtectedProcessWithoutNullStreams = ProtectedProcessByStdio<Writable, Readable, Readable>

/** What a start with such `stdio` has there. */
export type StdioOf<S extends StdioNull | StdioPipe, Stream> = S extends StdioNull ? null : Stream

/** Of a start whose `stdio` is a tuple. */
export type TupleOptions<
  I extends StdioNull | StdioPipe,
  O extends StdioNull | StdioPipe,
  E extends StdioNull | StdioPipe,
> = SpawnOptionsWithStdioTuple<I, O, E> & ProtectionOptions

/**
 * Starts a program as `child_process.spawn` does, with all of its overloads and options, that ignores or blocks chosen signals
 * from its first instruction on: by default it ignores SIGINT.
 *
 * @param command - the program: a path, or a name to be found in PATH.
 * @param options - of `child_process.spawn`, and {@link ProtectionOptions}: by default `{ ignore: ['SIGINT'], enforce: 'auto' }`.
 * @returns a `ChildProcess` in all respects, with {@link ProtectedProcess.stop}.
 * @throws what `child_process.spawn` throws for its own options; for ours TypeError `ERR_INVALID_ARG_TYPE`,
 * `ERR_INVALID_ARG_VALUE` (a signal that can't be ignored) or `ERR_UNKNOWN_SIGNAL`, RangeError `ERR_OUT_OF_RANGE`; Error
 * `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` for what this system, runtime or thread can't do, `ERR_DLOPEN_FAILED` where the addon is not
 * there, or can't be loaded. Nothing is started then. What the system refuses is an 'error' event or an exception as with
 * `child_process`, with the system call that failed as `step`.
 * @example
 * const child = spawnProtected('sh', ['-c', 'kill -INT $$; echo alive'], { ignore: ['SIGINT', 'SIGHUP'] })
 * const [output] = await once(child.stdout, 'data')
 * console.log(String(output).trim()) // alive
 */
export function spawnProtected(
  command: string,
  options?: SpawnOptionsWithoutStdio & ProtectionOptions,
): ProtectedProcessWithoutNullStreams
/**
 * Without arguments, and with each stream known to be there, or not.
 * @param command - a path, or a name to be found in PATH.
 * @param options - of `child_process.spawn` with a tuple as `stdio`, and {@link ProtectionOptions}.
 * @returns the child, with its streams in its type.
 * @throws as the first form.
 */
export function spawnProtected<
  I extends StdioNull | StdioPipe,
  O extends StdioNull | StdioPipe,
  E extends StdioNull | StdioPipe,
>(
  command: string,
  options: TupleOptions<I, O, E>,
): ProtectedProcessByStdio<StdioOf<I, Writable>, StdioOf<O, Readable>, StdioOf<E, Readable>>
/**
 * Without arguments, and with any `stdio`.
 * @param command - a path, or a name to be found in PATH.
 * @param options - of `child_process.spawn`, and {@link ProtectionOptions}.
 * @returns the child.
 * @throws as the first form.
 */
export function spawnProtected(command: string, options: SpawnProtectedOptions): ProtectedProcess
/**
 * With arguments.
 * @param command - a path, or a name to be found in PATH.
 * @param args - what it gets after its name; none by default.
 * @param options - of `child_process.spawn`, and {@link ProtectionOptions}.
 * @returns the child, with three pipes.
 * @throws as the first form.
 */
export function spawnProtected(
  command: string,
  args?: readonly string[],
  options?: SpawnOptionsWithoutStdio & ProtectionOptions,
): ProtectedProcessWithoutNullStreams
/**
 * With arguments, and with each stream known to be there, or not.
 * @param command - a path, or a name to be found in PATH.
 * @param args - what it gets after its name; none by default.
 * @param options - of `child_process.spawn` with a tuple as `stdio`, and {@link ProtectionOptions}.
 * @returns the child, with its streams in its type.
 * @throws as the first form.
 */
export function spawnProtected<
  I extends StdioNull | StdioPipe,
  O extends StdioNull | StdioPipe,
  E extends StdioNull | StdioPipe,
>(
  command: string,
  args: readonly string[],
  options: TupleOptions<I, O, E>,
): ProtectedProcessByStdio<StdioOf<I, Writable>, StdioOf<O, Readable>, StdioOf<E, Readable>>
/**
 * With arguments, and with any `stdio`.
 * @param command - a path, or a name to be found in PATH.
 * @param args - what it gets after its name; none by default.
 * @param options - of `child_process.spawn`, and {@link ProtectionOptions}.
 * @returns the child.
 * @throws as the first form.
 */
export function spawnProtected(
  command: string,
  args: readonly string[],
  options: SpawnProtectedOptions,
): ProtectedProcess
export function spawnProtected(command: string, args?: unknown, options?: unknown): ProtectedProcess {
  return new ProtectedProcess(planSpawn(command, args, options))
}
